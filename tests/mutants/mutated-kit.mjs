import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A storage that is broken may run for ever. ms */
const TIME_LIMIT = 60_000

/**
 * Runs the conformance kit, or one case of it, with a mutant in the shipped code (`null`: with the code as it is), in a
 * process of its own. Answers the cases that fail, by their sentences. `program` may be another one that reports alike.
 *
 * @param {import('./mutants.mjs').Mutant | null} mutant @param {string} [only] @param {string} [program]
 * @returns {Promise<{ failed: ReadonlySet<string>, finished: boolean }>}
 */
export async function runKit(mutant, only, program = 'kit-run.ts') {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mutant-'))
  try {
    const file = join(folder, 'kit.mjs')
    await bundle(mutant, file, program)
    const output = await run(only === undefined ? [file] : [file, only])
    const lines = output.split('\n')
    const failed = lines.filter((line) => line.startsWith('{')).map((line) => String(JSON.parse(line).case))
    const finished = lines.includes('"done"')
    if (!finished && failed.length === 0) throw new Error(`The kit came to no end:\n${output.slice(0, 2000)}`)
    return { failed: new Set(failed), finished }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @param {readonly string[]} args @returns {Promise<string>} */
function run(args) {
  return new Promise((resolve) => {
    const options = { timeout: TIME_LIMIT, killSignal: /** @type {const} */ ('SIGKILL'), maxBuffer: 2 ** 26 }
    execFile(process.execPath, args, options, (_, stdout, stderr) => resolve(stdout + stderr))
  })
}

/**
 * Bundles the run of the kit, with the patches of a mutant applied on the way. A patch whose text does not stand in its
 * file exactly once is an error: it would test nothing.
 *
 * @param {import('./mutants.mjs').Mutant | null} mutant @param {string} outfile @param {string} program
 */
async function bundle(mutant, outfile, program) {
  const contents = mutant === null ? '' : await patchedText(mutant)
  await build({
    entryPoints: [join(root, 'tests/mutants', program)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'silent',
    plugins: mutant === null ? [] : [replacing(join(root, mutant.file), contents)],
  })
}

/** @param {string} path @param {string} contents @returns {import('esbuild').Plugin} */
function replacing(path, contents) {
  let loaded = false
  return {
    name: 'mutant',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, (args) => {
        if (args.path !== path) return undefined
        loaded = true
        return { contents, loader: 'ts' }
      })
      build.onEnd(() => (loaded ? null : { errors: [{ text: `${path} is not in the bundle` }] }))
    },
  }
}

/** @param {import('./mutants.mjs').Mutant} mutant */
async function patchedText({ name, file, patches }) {
  let text = await readFile(join(root, file), 'utf8')
  for (const { find, replace } of patches) {
    const parts = text.split(find)
    if (parts.length !== 2) throw new Error(`The mutant "${name}" finds its text ${parts.length - 1} times: ${find}`)
    text = parts.join(replace)
  }
  return text
}
