// Workers as a user's bundler leaves them: each file and all that it imports in one script, for tests that start many.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'

const NAMES = ['jobs.worker', 'canvas.worker'] as const

type Scripts = Readonly<Record<(typeof NAMES)[number], string>>

/** Called by Vitest before the tests of an engine. */
export default async function provideWorkers(project: TestProject): Promise<void> {
  const scripts = await Promise.all(NAMES.map(async (name) => [name, await script(name)] as const))
  project.provide('workers', Object.fromEntries(scripts) as Scripts)
}

async function script(name: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../../runtimes/threads/${name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    // WebKit has no `using` of its own.
    target: 'es2022',
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The scripts of `tests/runtimes/threads/*.worker.ts`, in pages. */
    readonly workers: Scripts
  }
}
