// What a journal does where something goes wrong beside the writes themselves.
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FileSystem, nodeFs, type NodeFsOptions } from '../../src/adapters/node-fs/index.ts'
import { encodeRecord } from '../../src/adapters/node-fs/lines.ts'
import { systemFiles } from '../../src/adapters/node-fs/system-files.ts'
import { HoldfastError } from '../../src/index.ts'
import { newJob, SimulatedDisk } from '../../src/testing/index.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-journal-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

type Storage = ReturnType<typeof nodeFs>

async function opened(options: Partial<NodeFsOptions> = {}): Promise<Storage> {
  const storage = nodeFs({ directory, ...options })
  await storage.open()
  return storage
}

function codeOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => 'no error',
    (error: unknown) => (error as HoldfastError).code,
  )
}

function enqueue(storage: Storage, id: string, payload: unknown = null): Promise<unknown> {
  return storage.enqueue({ jobs: [newJob({ id, payload })], now: NOW })
}

const journals = async (): Promise<string[]> =>
  (await readdir(directory)).filter((name) => name.endsWith('.journal')).sort()

/** The machine's files, and how many of them are open. */
function counted(changes: Partial<FileSystem> = {}): { fileSystem: FileSystem; open: () => number } {
  let open = 0
  const fileSystem: FileSystem = {
    ...systemFiles,
    async open(path, how) {
      const file = await systemFiles.open(path, how)
      open += 1
      return {
        ...file,
        async close() {
          open -= 1
          await file.close()
        },
      }
    },
    ...changes,
  }
  return { fileSystem, open: () => open }
}

test('whoever does not understand a record of newer code neither ends the segment nor makes the next one without it', async () => {
  const old = await opened({ rollAt: 1000 })
  await enqueue(old, 'a')
  const job = { type: 'test', payload: 'x'.repeat(3000), createdAt: NOW }
  const units = [[{ table: 'jobs', key: 'acknowledged', expect: 0, to: job, version: 9 }]] as const
  const [line] = encodeRecord({ id: 'newer.1', format: 2, units })
  await appendFile(join(directory, '0000000001.journal'), line ?? '')
  expect(await codeOf(enqueue(old, 'b'))).toBe('HOLDFAST_STORAGE_NEWER')
  expect(await codeOf(enqueue(old, 'c'))).toBe('HOLDFAST_STORAGE_NEWER')
  expect(old.health?.().state).toBe('read-only')
  expect((await allJobs(old)).map(({ id }) => id)).toEqual(['a'])
  await old.close()
  expect(await journals()).toEqual(['0000000001.journal'])
  const text = await readFile(join(directory, '0000000001.journal'), 'utf8')
  expect(text).not.toContain('"kind":"seal"')
})

test('not even where newer code has ended the segment and is gone', async () => {
  const old = await opened()
  await enqueue(old, 'a')
  const { encodeLine } = await import('../../src/adapters/node-fs/lines.ts')
  const lines = [...encodeRecord({ id: 'newer.1', format: 2, units: [] }), encodeLine({ kind: 'seal', by: 'newer' })]
  await appendFile(join(directory, '0000000001.journal'), Buffer.concat(lines))
  expect(await codeOf(enqueue(old, 'b'))).toBe('HOLDFAST_STORAGE_NEWER')
  expect(old.health?.().state).toBe('read-only')
  await old.close()
  expect(await journals()).toEqual(['0000000001.journal'])
})

test('whoever meets a kind of line of newer code writes nothing, not even what its opening would write again', async () => {
  const old = await opened()
  await enqueue(old, 'a')
  await old.close()
  const { encodeLine } = await import('../../src/adapters/node-fs/lines.ts')
  const path = join(directory, '0000000001.journal')
  await appendFile(path, encodeLine({ kind: 'invented later' } as never))
  const before = await readFile(path, 'utf8')
  const again = await opened({ rollAt: 1 })
  expect(await codeOf(enqueue(again, 'b'))).toBe('HOLDFAST_STORAGE_NEWER')
  await again.close()
  expect(await readFile(path, 'utf8')).toBe(before)
  expect(await journals()).toEqual(['0000000001.journal'])
})

test('who only reads follows into the segment that newer code has made, and takes that for no damage', async () => {
  const old = await opened()
  await enqueue(old, 'a')
  const { encodeLine } = await import('../../src/adapters/node-fs/lines.ts')
  const { writeSnapshot } = await import('../../src/adapters/node-fs/snapshot.ts')
  const next = await systemFiles.open(join(directory, '0000000002.journal'), { create: true })
  const row = { version: 9, sequence: 2, type: 'task', payload: null, createdAt: NOW }
  const rows = [{ table: 'jobs', key: 'later', row }] as const
  await writeSnapshot(next, { sequence: 2, highest: 9, count: 1, versions: 9, rows })
  await next.close()
  const lines = [...encodeRecord({ id: 'newer.1', format: 2, units: [] }), encodeLine({ kind: 'seal', by: 'newer' })]
  await appendFile(join(directory, '0000000001.journal'), Buffer.concat(lines))
  expect(await codeOf(enqueue(old, 'b'))).toBe('HOLDFAST_STORAGE_NEWER')
  expect((await allJobs(old)).map(({ id }) => id)).toEqual(['later'])
  expect(old.health?.()).toMatchObject({ state: 'read-only', damaged: 0 })
  await old.close()
})

test('who asks for less durability makes no segments that take from others what they were promised', async () => {
  const disk = new SimulatedDisk()
  const careful = await opened({ directory: '/jobs', fileSystem: disk.process() })
  await enqueue(careful, 'kept')
  const careless = await opened({ directory: '/jobs', fileSystem: disk.process(), durability: 'process', rollAt: 1 })
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await enqueue(careless, id, 'x'.repeat(20_000))
  expect(disk.list('/jobs').filter((name) => name.endsWith('.journal')).length).toBeGreaterThan(3)
  await Promise.all([careful.close(), careless.close()])
  for (const persistence of ['lost', 'prefix', 'torn', 'reordered'] as const) {
    for (let seed = 1; seed <= 10; seed++) {
      const left = disk.afterPowerCut({ persistence, seed }).process()
      const storage = await opened({ directory: '/jobs', fileSystem: left })
      expect((await storage.get(['kept']))[0]?.id, `${persistence}, seed ${seed}`).toBe('kept')
      await storage.close()
    }
  }
})

test('tidying up that fails costs no call, is told by health until it works again, and leaves no file open', async () => {
  const denied = (): Promise<never> => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }))
  let fails = false
  const { fileSystem, open } = counted({ rename: (from, to) => (fails ? denied() : systemFiles.rename(from, to)) })
  const storage = await opened({ rollAt: 1, fileSystem })
  const told: unknown[] = []
  storage.watchHealth?.(() => {
    const { state, cause } = storage.health?.() ?? {}
    told.push([state, HoldfastError.is(cause) ? cause.code : cause])
  })
  await enqueue(storage, 'a')
  fails = true
  for (const id of ['b', 'c', 'd', 'e', 'f', 'g']) await enqueue(storage, id, 'x'.repeat(5000))
  expect(told).toEqual([['degraded', 'HOLDFAST_STORAGE_GROWS']])
  fails = false
  for (const id of ['h', 'i', 'j', 'k', 'l', 'm']) await enqueue(storage, id, 'x'.repeat(20_000))
  expect(await allJobs(storage)).toHaveLength(13)
  expect(told.slice(1)).toEqual([['ok', null]])
  await storage.close()
  expect(open()).toBe(0)
  const whole = (await journals()).map(async (name) => (await readFile(join(directory, name))).length > 100)
  expect((await Promise.all(whole)).filter(Boolean)).toHaveLength(2)
})

test('a process that could not tidy up tells nothing any more once another one has made a segment', async () => {
  const denied = (): Promise<never> => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }))
  const one = await opened({ rollAt: 1, fileSystem: { ...systemFiles, rename: denied } })
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await enqueue(one, id, 'x'.repeat(5000))
  expect(one.health?.().state).toBe('degraded')
  const other = await opened({ rollAt: 1 })
  for (const id of ['g', 'h', 'i', 'j', 'k', 'l']) await enqueue(other, id, 'x'.repeat(20_000))
  expect(await allJobs(one)).toHaveLength(12)
  expect([one.health?.().state, other.health?.().state]).toEqual(['ok', 'ok'])
  await Promise.all([one.close(), other.close()])
})

test('an opening that fails late leaves nothing behind, and the next one works', async () => {
  let fails = false
  const { fileSystem, open } = counted()
  const failing: FileSystem = {
    ...fileSystem,
    async open(path, how) {
      const file = await fileSystem.open(path, how)
      let reads = 0
      const read = (into: Uint8Array, position: number): number => {
        // The first look finds out what is there; the table is read when the first flush wants it.
        reads += 1
        if (fails && reads > 1) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
        return file.read(into, position)
      }
      return { ...file, read }
    },
  }
  const first = await opened({ rollAt: 1 })
  await enqueue(first, 'a')
  // It rolls in the background, until then.
  await first.close()
  const storage = nodeFs({ directory, fileSystem: failing, durability: 'process' })
  fails = true
  expect(await codeOf(storage.open())).toBe('HOLDFAST_STORAGE')
  expect(open()).toBe(0)
  fails = false
  await storage.open()
  expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a'])
  await storage.close()
  expect(open()).toBe(0)
})

test('what cannot be written down at all is refused for certain, at once, and nothing else is', async () => {
  const storage = await opened()
  // The queue refuses such payloads; whoever calls the storage itself may still try.
  const [refused, taken] = await Promise.all([codeOf(enqueue(storage, 'a', 1n)), codeOf(enqueue(storage, 'b'))])
  expect(refused).toBe('HOLDFAST_STORAGE')
  await enqueue(storage, 'c')
  const ids = (await allJobs(storage)).map(({ id }) => id)
  expect(ids).toEqual(taken === 'no error' ? ['b', 'c'] : ['c'])
  await storage.close()
})

test('while jobs only come no snapshot says again what the log says, and when they have gone the journal is small', async () => {
  const storage = await opened({ rollAt: 1_000_000, durability: 'process' })
  const ids = Array.from({ length: 500 }, (_, at) => `job-${at}`)
  const payload = 'x'.repeat(1000)
  const come = (group: number): Promise<unknown> =>
    storage.enqueue({ jobs: ids.map((id) => newJob({ id: `${id}-${group}`, payload })), now: NOW })
  const go = (group: number): Promise<unknown> =>
    storage.amend({ batch: ids.map((id) => ({ kind: 'remove' as const, id: `${id}-${group}` })), now: NOW })
  for (let group = 0; group < 20; group++) await come(group)
  // One when the log was a megabyte and the table little more; and none at 3 and 9.
  expect(await journals()).toHaveLength(2)
  for (let group = 0; group < 20; group++) await go(group)
  for (let group = 0; group < 20; group++) {
    await come(group)
    await go(group)
  }
  await storage.close()
  const sizes = (await journals()).map(async (name) => (await readFile(join(directory, name))).length)
  expect((await Promise.all(sizes)).at(-1)).toBeLessThan(4_000_000)
})

test('a log that nobody synced costs who syncs it about as much to open as who does not', async () => {
  await (await opened()).close()
  const lines = Array.from({ length: 30_000 }, (_, at) => {
    const job = { sequence: at + 1, type: 'test', payload: null, createdAt: NOW }
    return encodeRecord({
      id: `gone.${at}`,
      format: 1,
      units: [[{ table: 'jobs', key: `job-${at}`, expect: 0, to: job, version: at + 1 }]],
    })
  })
  await appendFile(join(directory, '0000000001.journal'), Buffer.concat(lines.flat()))
  const [careless, careful] = [await workOfOpening('process'), await workOfOpening('disk')]
  // It writes all of it once more. Work that grows with the square would take dozens of times as long.
  expect(careful).toBeLessThan(8 * careless)
})

/** What it costs until the jobs can be listed. Time of the processor: on a busy machine a span would tell of others. */
async function workOfOpening(durability: 'disk' | 'process'): Promise<number> {
  const before = process.cpuUsage()
  const storage = await opened({ durability, rollAt: 1e9 })
  expect(await storage.counts({ now: NOW })).toMatchObject({ pending: 30_000 })
  const { user, system } = process.cpuUsage(before)
  await storage.close()
  return user + system
}
