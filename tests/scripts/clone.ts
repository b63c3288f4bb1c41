import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

export interface Ended {
  readonly code: number | null
  /** What it said, on both streams. */
  readonly output: string
  readonly lines: readonly string[]
}

/** A folder with copies of some files of this repository, and programs of its own that come before those of the machine. */
export class Clone implements Disposable {
  readonly folder: string

  constructor(files: readonly string[], below: string = tmpdir()) {
    this.folder = mkdtempSync(join(below, 'holdfast-clone-'))
    for (const file of files) cpSync(join(root, file), join(this.folder, file), { recursive: true })
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true })
    writeFileSync(this.path(file), text)
  }

  path(file: string): string {
    return join(this.folder, file)
  }

  has(file: string): boolean {
    return existsSync(this.path(file))
  }

  remove(file: string): void {
    rmSync(this.path(file), { recursive: true })
  }

  /** Puts a shell script in the place of a program. It runs in the folder. Each call of it is noted. */
  program(name: string, body: string): void {
    this.write(`programs/${name}`, `#!/bin/sh\necho "$*" >> "${this.folder}/asked"\n${body}\n`)
    chmodSync(this.path(`programs/${name}`), 0o755)
  }

  /** How the programs were called since this was last asked. */
  asked(): readonly string[] {
    if (!this.has('asked')) return []
    const lines = readFileSync(this.path('asked'), 'utf8').trim().split('\n')
    this.remove('asked')
    return lines
  }

  /** `heard`: told what was said so far, each time that more is said. */
  async run(
    program: string,
    args: readonly string[] = [],
    cwd: string = this.folder,
    heard: (output: string) => void = () => undefined,
  ): Promise<Ended> {
    const PATH = [this.path('programs'), process.env['PATH']].join(delimiter)
    // Both streams are one, or what came first would be anybody's guess.
    const child = spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', program, ...args], {
      cwd,
      env: { ...process.env, PATH },
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => heard((output += chunk.toString())))
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    return { code, output, lines: output.trimEnd().split('\n') }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
