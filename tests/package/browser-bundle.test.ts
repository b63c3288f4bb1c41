import { createContext, runInContext } from 'node:vm'
import { EdgeRuntime } from 'edge-runtime'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { entries, root } from './built-package.ts'

/** An entry and all it needs as one classic script, whose value is the names that the entry exports. */
async function bundle(specifier: string): Promise<string> {
  const result = await build({
    stdin: {
      contents: `import * as entry from '${specifier}'; export default Object.keys(entry).sort().join(' ')`,
      resolveDir: root,
    },
    bundle: true,
    // Nothing is external here: an import of `node:` that was left in would end the build.
    platform: 'browser',
    format: 'iife',
    globalName: 'bundle',
    footer: { js: 'bundle.default' },
    write: false,
    logLevel: 'silent',
  })
  return result.outputFiles.map(({ text }) => text).join('')
}

describe.each(entries.filter((entry) => !entry.nodeOnly))('$specifier', ({ specifier }) => {
  test('bundles for the browser and loads in an edge runtime', async () => {
    const exported = Object.keys((await import(specifier)) as object)
    const loaded: unknown = new EdgeRuntime().evaluate(await bundle(specifier))
    expect(loaded).toBe(exported.sort().join(' '))
  })

  // An edge runtime has most of what a browser has; a bare context has the language alone.
  test('touches no global of any platform while it loads', async () => {
    const script = await bundle(specifier)
    expect(() => runInContext(script, createContext({})) as unknown).not.toThrow()
  })
})
