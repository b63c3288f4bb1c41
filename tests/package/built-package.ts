// The package as its users get it: what package.json promises and what the build put into dist.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const root = fileURLToPath(new URL('../..', import.meta.url))

interface Conditions {
  readonly types: string
  readonly default?: string
  readonly node?: string
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, Conditions | string>>
}

export interface Entry {
  /** What a user imports: `holdfast/memory`. */
  readonly specifier: string
  readonly script: string
  readonly declarations: string
  /** True when the entry offers itself to Node alone. */
  readonly nodeOnly: boolean
}

export const entries: readonly Entry[] = Object.entries(manifest.exports).flatMap(([subpath, target]) => {
  if (typeof target === 'string') return []
  const script = target.default ?? target.node
  if (script === undefined) throw new Error(`${subpath} exports no script`)
  return {
    specifier: `holdfast${subpath.slice(1)}`,
    script: script.replace('./', ''),
    declarations: target.types.replace('./', ''),
    nodeOnly: target.default === undefined,
  }
})

/** Paths below `folder`, from the root of the repository, of the files whose name ends in `ending`. */
export function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .sort()
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Packs the package into `folder` as `npm publish` would and answers the tarball's path. */
export async function pack(folder: string): Promise<string> {
  const [report] = JSON.parse(await npm(['pack', '--json', '--pack-destination', folder], root)) as {
    filename: string
  }[]
  if (report === undefined) throw new Error('npm pack packed nothing')
  return join(folder, report.filename)
}

/** Runs npm and answers what it wrote to standard output. */
export async function npm(args: readonly string[], cwd: string): Promise<string> {
  // npm is a .cmd file on Windows, which only a shell can start.
  const { stdout } = await promisify(execFile)('npm', args, { cwd, shell: process.platform === 'win32' })
  return stdout
}
