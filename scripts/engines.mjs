/**
 * The browser engines that tests run in: which programs each needs, which Debian packages bring them, and which version
 * is installed. Node built-ins only.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** @typedef {'chromium' | 'firefox' | 'webkit'} Engine */

/** @type {readonly Engine[]} */
export const engines = ['chromium', 'firefox', 'webkit']

/** @type {Record<Engine, { packages: readonly string[], programs: () => readonly (string | null)[] }>} */
const needs = {
  chromium: { packages: ['chromium'], programs: () => [find('chromium')] },
  firefox: { packages: ['firefox-esr'], programs: () => [find('firefox-esr')] },
  webkit: {
    // WebKitGTK has no headless mode: it draws on a display in memory.
    packages: ['webkit2gtk-driver', 'xvfb', 'xauth'],
    programs: () => [miniBrowser(), find('WebKitWebDriver'), find('Xvfb'), find('xvfb-run'), find('xauth')],
  },
}

/** @param {Engine} engine */
export function isInstalled(engine) {
  return needs[engine].programs().every((program) => program !== null)
}

/** The Debian packages that bring what these engines need. @param {readonly Engine[]} selection */
export function packagesFor(selection) {
  return selection.flatMap((engine) => needs[engine].packages)
}

/**
 * The path of an engine's browser.
 * @param {Engine} engine
 * @throws {Error} when it is not installed, with what to do
 */
export function browserOf(engine) {
  const path = needs[engine].programs()[0]
  if (path === null || path === undefined || !isInstalled(engine)) {
    throw new Error(`${engine} is not installed: run \`npm run test:browser -- --engine ${engine}\`, which installs it`)
  }
  return path
}

/** What an engine's browser says of its version, as `156.0.8078.79`. @param {Engine} engine */
export function versionOf(engine) {
  const browser = browserOf(engine)
  const [program = '', ...args] = engine === 'webkit' ? ['xvfb-run', '-a', browser] : [browser]
  const { stdout } = spawnSync(program, [...args, '--version'], { encoding: 'utf8', timeout: 60_000 })
  return /\d+(\.\d+)+\w*/.exec(stdout)?.[0] ?? 'of unknown version'
}

/** Where PATH has a program, or null. @param {string} name */
export function find(name) {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name))
  return paths.find((path) => existsSync(path)) ?? null
}

/** The browser that WebKitWebDriver drives lies in no folder of PATH, and its own is named after the machine. */
function miniBrowser() {
  if (!existsSync('/usr/lib')) return null
  const paths = readdirSync('/usr/lib').map((machine) => `/usr/lib/${machine}/webkit2gtk-4.1/MiniBrowser`)
  return paths.find((path) => existsSync(path)) ?? null
}
