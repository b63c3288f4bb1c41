import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { type Engine, engines } from './scripts/engines.mjs'
import { providers } from './tests/browser/engines/providers.ts'

/** Start processes, kill them and see how soon others go on; the last one puts something in the place of a module. */
const apart = [
  'tests/adapters/node-fs-control.test.ts',
  'tests/adapters/node-fs-processes.test.ts',
  'tests/adapters/node-fs-torture.test.ts',
  'tests/adapters/node-fs/presence.test.ts',
  'tests/adapters/system-files.test.ts',
]

/** From 70 to 20 s each, the longest first. */
const long = [
  'tests/adapters/node-fs-crash.test.ts',
  'tests/adapters/node-fs.test.ts',
  'tests/mutants/disk-mutants.test.ts',
  'tests/mutants/mutants.test.ts',
  'tests/core/logged-storage.test.ts',
]

/**
 * Of what goes side by side the longest begins. Vitest knows how long a file takes from the run before, and in a fresh clone
 * begins with the largest: the longest of all, a few lines long, came last and had the machine for itself.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = (file: string) => (spec: TestSpecification) => spec.moduleId.endsWith(`/${file}`)
    const first = long.flatMap((file) => sorted.filter(isLong(file)))
    return [...first, ...sorted.filter((spec) => !first.includes(spec))]
  }
}

const fromOutside = 'tests/browser/pages/**'

/** No judgement of speed: where CI stands still for some seconds, a test is to wait for what it waits for. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } }

/** What runs in pages and, by fake-indexeddb, on Node: the files are the same. */
const shared = { include: ['tests/browser/**/*.test.ts'], exclude: [fromOutside] }

function inPages(engine: Engine): TestProjectInlineConfiguration {
  return {
    // WebKit has no `using` of its own.
    oxc: { target: 'es2022' },
    // Found at the first import, they would reload the page in the middle of its tests.
    optimizeDeps: { include: ['idb', 'comlink', 'graphql/language/parser.mjs', 'graphql/jsutils/suggestionList.mjs'] },
    test: {
      ...patient,
      ...shared,
      globalSetup: ['tests/browser/engines/worker-scripts.ts'],
      setupFiles: ['tests/browser/disposal.ts'],
      browser: {
        enabled: true,
        provider: providers[engine],
        // Named here and not above, or it would be called `chromium (chromium)`.
        instances: [{ browser: engine, name: engine }],
        headless: engine !== 'webkit',
        ui: false,
        screenshotFailures: false,
      },
    },
  }
}

/** What drives a browser from Node: several tabs, crashes, kills. `*.firefox.test.ts` runs with Firefox alone. */
function aroundPages(engine: Engine): TestProjectInlineConfiguration {
  return {
    test: {
      ...patient,
      name: `${engine}-pages`,
      include: [`${fromOutside}/*.test.ts`],
      exclude: engines.filter((other) => other !== engine).map((other) => `**/*.${other}.test.ts`),
      provide: { engine },
      // One browser at a time, when the tests in pages are done: they measure how long things take.
      fileParallelism: false,
      sequence: { groupOrder: 1 },
      // Of tests in one file that go side by side: each has tabs with workers of their own.
      maxConcurrency: 3,
    },
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...patient,
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/package/**', ...shared.include, ...apart],
          // None of them leaves anything behind in a module, and to load all modules for each file takes half of the time.
          isolate: false,
        },
      },
      {
        test: {
          ...patient,
          name: 'apart',
          include: apart,
          // One file at a time, when the others are done.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          // Of tests in one file that go side by side: each has two processes or three.
          maxConcurrency: 3,
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['tests/types/**/*.test-d.ts'],
            tsconfig: 'tsconfig.types.json',
          },
        },
      },
      // These start compilers, npm and whole bundles, on files that were built before.
      {
        test: {
          ...patient,
          name: 'package',
          include: ['tests/package/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...patient,
          name: 'emulated',
          ...shared,
          // What an emulation does not have: pages, workers, locks.
          exclude: [...shared.exclude, 'tests/browser/*.engines.test.ts'],
          setupFiles: ['fake-indexeddb/auto'],
          isolate: false,
        },
      },
      ...engines.map(inPages),
      ...engines.map(aroundPages),
    ],
  },
})
