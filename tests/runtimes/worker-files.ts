// Workers as a user's bundler leaves them: each file and all that it imports, in one script.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { build } from 'esbuild'

const folder = new URL('../../.holdfast/worker-files/', import.meta.url)

/** Bundles `tests/runtimes/threads/NAME.ts`; answers what spawns it. */
export async function workerFile(name: string): Promise<(options?: WorkerOptions) => Worker> {
  mkdirSync(folder, { recursive: true })
  const outfile = new URL(`${name}-${process.pid}.mjs`, folder)
  await build({
    entryPoints: [fileURLToPath(new URL(`threads/${name}.ts`, import.meta.url))],
    outfile: fileURLToPath(outfile),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['node:*'],
    mainFields: ['module', 'main'],
    target: 'es2022',
    logLevel: 'error',
  })
  return (options) => new Worker(outfile, options)
}
