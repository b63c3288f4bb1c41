/** Installs the browsers' Debian packages where they are missing and it can; where it cannot it says what to do. */
import { run, say, setUp } from './bootstrap.mjs'
import { find, isInstalled, packagesFor } from './engines.mjs'

/** @typedef {import('./engines.mjs').Engine} Engine */

/**
 * Brings in the engines that are missing, if any.
 * @param {readonly Engine[]} engines
 * @returns {Promise<string | null>} why some of them are missing still, and what to do about it
 */
export async function installMissing(engines) {
  const missing = engines.filter((engine) => !isInstalled(engine))
  if (missing.length === 0) return null
  const obstacle = await setUp(() => install(missing))
  if (obstacle === null) return null
  const sudo = process.getuid?.() === 0 ? '' : 'sudo '
  const command = `${sudo}apt-get update && ${sudo}${['apt-get', ...installing(missing)].join(' ')}`
  return `${missing.join(', ')} cannot be tested: ${obstacle}. On Debian this brings what is missing:\n\n  ${command}\n`
}

/** @param {readonly Engine[]} missing @returns {Promise<string | null>} what is in the way */
async function install(missing) {
  if (find('apt-get') === null) return 'not installed, and there is no apt-get here to install it with'
  if (process.getuid?.() !== 0) return 'not installed, and installing it needs root'
  say(`installing Debian packages: ${packagesFor(missing).join(' ')}`)
  for (const args of [['update'], installing(missing)]) {
    const { exitCode, output } = await run(['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args], {
      quiet: true,
    })
    if (exitCode === 0) continue
    console.error(output.trimEnd())
    return `\`apt-get ${args[0]}\` ended with exit code ${exitCode}`
  }
  const left = missing.filter((engine) => !isInstalled(engine))
  return left.length === 0 ? null : `the packages are installed, but ${left.join(', ')} is not where it should be`
}

/** @param {readonly Engine[]} missing */
function installing(missing) {
  return ['install', '-y', '--no-install-recommends', ...packagesFor(missing)]
}
