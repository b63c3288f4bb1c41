import { defineConfig } from 'tsup'

// One build for all entries: two would give each its own copy of the error classes, and `instanceof` would lie.
// Declarations come from tsc afterwards, because tsup's own step fails on TypeScript 6.
export default defineConfig({
  entry: [
    'src/index.ts',
    'src/core/storage/index.ts',
    'src/{adapters,runtimes}/*/index.ts',
    'src/runtimes/browser/service-worker/index.ts',
    'src/{aql,cron,testing}/index.ts',
  ],
  format: ['esm'],
  platform: 'neutral',
  target: 'es2022',
  splitting: true,
  sourcemap: true,
  dts: false,
  external: [/^node:/],
  // tsup strips `node:` by default, and a runtime that knows built-ins only by that name could not load the result.
  removeNodeProtocol: false,
  // Everything in dist, and the stamp too, which must not outlive the build that it vouches for.
  clean: ['.stamp'],
})
