/**
 * Makes a fresh clone ready to run with nothing but Node: installs the packages and builds the library, each only when
 * its result is missing or older than what it is made from. Node built-ins only, since this runs before any install.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alone } from './alone.mjs'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} text */
export const say = (text) => console.log(`holdfast: ${text}`)

/** A command, or this script itself, cannot go on; `exitCode` is what the process should end with. */
export class Stopped extends Error {
  /** @param {string} message @param {number} exitCode */
  constructor(message, exitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

/**
 * @typedef {object} Step
 * @property {string} action what is being done, for the developer who waits
 * @property {string[]} command
 * @property {string[]} inputs files and folders that the result is made from
 * @property {string} result
 * @property {string} stamp a file inside the result: the digest of the inputs it was made from
 */

/** @type {Step[]} */
const steps = [
  {
    action: 'installing packages',
    // NODE_ENV=production would leave out the tools that build and test.
    command: ['npm', 'ci', '--include=dev', '--no-audit', '--no-fund'],
    inputs: ['package-lock.json'],
    result: 'node_modules',
    stamp: 'node_modules/.stamp',
  },
  {
    action: 'building',
    command: ['npm', 'run', '--silent', 'build'],
    inputs: [
      'src',
      'package.json',
      'package-lock.json',
      'tsup.config.ts',
      'tsconfig.json',
      'tsconfig.build.json',
      'tsconfig.build-node.json',
      'tsconfig.build-browser.json',
    ],
    result: 'dist',
    stamp: 'dist/.stamp',
  },
]

/**
 * Brings the clone up to date.
 * @throws {Stopped} when Node is too old, a step fails or the user interrupts
 */
export async function bootstrap() {
  checkNode()
  for (const step of steps) {
    if (reasonFor(step) !== undefined) await setUp(() => bringUpToDate(step))
  }
}

/**
 * Two that install into one place ruin one another.
 * @template T
 * @param {() => Promise<T>} work
 */
export function setUp(work) {
  const lock = join(root, '.holdfast', 'bootstrap.lock')
  return alone(lock, work, () => say(`waiting for another run to finish its set-up (it holds ${lock})`))
}

/** For the top of a script: `await bootstrap().catch(exit)`. @param {unknown} error @returns {never} */
export function exit(error) {
  if (!(error instanceof Stopped)) throw error
  console.error(`holdfast: ${error.message}`)
  process.exit(error.exitCode)
}

/**
 * Runs a command in the repository and waits for its end, whatever signals arrive meanwhile.
 * @param {string[]} command
 * @param {{ quiet?: boolean, env?: Record<string, string> }} [options] quiet: its output is kept back, for the caller
 *   to show on failure; env: variables that it gets besides those of this process
 * @returns {Promise<{ exitCode: number, output: string }>}
 * @throws {Stopped} when this process was told to end
 */
export function run([name = '', ...args], { quiet = false, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
      // npm is a .cmd file there, which only a shell can start.
      shell: process.platform === 'win32' && name === 'npm',
    })
    /** @type {NodeJS.Signals | undefined} */
    let received
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      received = signal
      child.kill(signal)
    }
    process.on('SIGINT', passOn).on('SIGTERM', passOn)
    let output = ''
    /** @param {Buffer} chunk */
    const collect = (chunk) => (output += chunk.toString())
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)

    child.on('error', (error) => reject(new Stopped(`cannot start ${name}: ${error.message}`, 127)))
    child.on('close', (code, signal) => {
      process.off('SIGINT', passOn).off('SIGTERM', passOn)
      if (received !== undefined) reject(new Stopped(`stopped by ${received}`, exitCodeOf(received)))
      else resolve({ exitCode: code ?? exitCodeOf(signal ?? 'SIGKILL'), output })
    })
  })
}

/** What a shell reports for a process that a signal ended. @param {NodeJS.Signals} signal */
const exitCodeOf = (signal) => 128 + constants.signals[signal]

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new Stopped(`needs Node 20.19 or later, and this is Node ${process.versions.node} (${process.execPath})`, 1)
}

/** Why a step has to run, or undefined when its result stands. @param {Step} step */
function reasonFor(step) {
  if (!existsSync(join(root, step.result))) return `${step.result} is missing`
  const stamp = join(root, step.stamp)
  if (!existsSync(stamp)) return `nothing says what ${step.result} was made from`
  if (readFileSync(stamp, 'utf8') !== digestOf(step.inputs)) return `${step.inputs[0]} changed since`
  return undefined
}

/** @param {Step} step */
async function bringUpToDate(step) {
  const reason = reasonFor(step)
  if (reason === undefined) return
  say(`${step.action} (${reason})`)
  // Taken first: a file saved during the build must count as newer than what was built.
  const digest = digestOf(step.inputs)
  const { exitCode, output } = await run(step.command, { quiet: true })
  if (exitCode !== 0) {
    console.error(output.trimEnd())
    throw new Stopped(`${step.action} failed: \`${step.command.join(' ')}\` ended with exit code ${exitCode}`, exitCode)
  }
  writeFileSync(join(root, step.stamp), digest)
}

/** @param {string[]} inputs */
function digestOf(inputs) {
  const hash = createHash('sha256')
  for (const file of inputs.flatMap(filesBelow)) hash.update(`${file}\0`).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** @param {string} path @returns {string[]} */
function filesBelow(path) {
  if (!existsSync(join(root, path))) return []
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name) => filesBelow(`${path}/${name}`))
}
