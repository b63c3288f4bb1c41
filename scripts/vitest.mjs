/**
 * `node scripts/vitest.mjs run …`: Vitest as its own command starts it, except that what is wrong with its arguments is told
 * in a sentence, where Vitest itself ends in a stack trace.
 */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { root } from './bootstrap.mjs'

try {
  await import(pathToFileURL(join(root, 'node_modules/vitest/vitest.mjs')).href)
} catch (error) {
  const { name, message } = /** @type {Error} */ (error)
  if (name !== 'CACError') throw error
  console.error(`holdfast: Vitest refuses its arguments: ${message} (npx vitest --help tells what there is)`)
  process.exitCode = 2
}
