import { execFileSync } from 'node:child_process'
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FileSystem, nodeFs, type NodeFsOptions } from '../../src/adapters/node-fs/index.ts'
import { NETWORK_KINDS } from '../../src/adapters/node-fs/network-kinds.ts'
import { systemFiles } from '../../src/adapters/node-fs/system-files.ts'
import type { HoldfastError } from '../../src/index.ts'
import { newJob } from '../../src/testing/index.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-folder-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function opened(options: Partial<NodeFsOptions> = {}): Promise<ReturnType<typeof nodeFs>> {
  const storage = nodeFs({ directory, ...options })
  await storage.open()
  return storage
}

/** What an opening is refused with. */
async function refusal(options: Partial<NodeFsOptions>): Promise<unknown> {
  const error: unknown = await opened(options).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  const { code, details } = error as HoldfastError
  return { code, ...details }
}

function codeOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => 'no error',
    (error: unknown) => (error as HoldfastError).code,
  )
}

/** The machine's files, but for what `changes` replaces. */
function filesBut(changes: Partial<FileSystem>): FileSystem {
  return { ...systemFiles, ...changes }
}

describe('options of nodeFs that make no sense are refused at once, by name', () => {
  test.each([
    ['nodeFs', undefined],
    ['nodeFs', 'jobs'],
    ['nodeFs', []],
    ['directory', {}],
    ['directory', { directory: '' }],
    ['directory', { directory: 5 }],
    ['directory', { directory: 'a\0b' }],
    ['durability', { directory: 'a', durability: 'none' }],
    ['durability', { directory: 'a', durability: null }],
    ['rollAt', { directory: 'a', rollAt: 0 }],
    ['rollAt', { directory: 'a', rollAt: 1.5 }],
    ['rollAt', { directory: 'a', rollAt: '4MB' }],
    ['allowNetworkFileSystem', { directory: 'a', allowNetworkFileSystem: 'yes' }],
    ['fileSystem', { directory: 'a', fileSystem: null }],
    ['fileSystem', { directory: 'a', fileSystem: {} }],
    ['nodeFs.folder', { directory: 'a', folder: 'b' }],
    ['nodeFs.dir', { dir: 'b' }],
  ])('%s: %j', (field, options) => {
    expect(() => nodeFs(options as never)).toThrow(
      expect.objectContaining({
        code: 'HOLDFAST_INVALID_OPTION',
        details: expect.objectContaining({ field }) as unknown,
      }),
    )
  })

  test('a misspelt one with what was given and the names there are', () => {
    expect(() => nodeFs({ dir: 'x' } as never)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/directory, .*"x"/) as unknown,
        details: { field: 'nodeFs.dir', value: 'x' },
      }),
    )
  })
})

/** As a user who may not write everywhere, which root may. */
async function withoutPrivileges<Result>(act: () => Promise<Result>): Promise<Result> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    return await act()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

describe('a folder that cannot hold a journal', () => {
  test('is a file', async () => {
    const path = join(directory, 'file')
    await writeFile(path, 'mine')
    for (const value of [path, join(path, 'below')])
      expect(await refusal({ directory: value })).toEqual({ code: 'HOLDFAST_STORAGE', field: 'directory', value })
    expect(await readFile(path, 'utf8')).toBe('mine')
  })

  // Linux answers there as if the folder above were missing, for ever.
  test('is where no folder can be made', async () => {
    const value = '/proc/self/holdfast'
    expect(await refusal({ directory: value })).toEqual({ code: 'HOLDFAST_STORAGE', field: 'directory', value })
    const below = join(value, 'below')
    expect(await refusal({ directory: below })).toMatchObject({ code: 'HOLDFAST_STORAGE', value: below })
  })

  test('may not be written', async () => {
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    const fileSystem = filesBut({ open: () => Promise.reject(denied) })
    const value = await realpath(directory)
    expect(await refusal({ fileSystem })).toEqual({ code: 'HOLDFAST_STORAGE', field: 'directory', value })
    expect(await readdir(directory)).toEqual([])
  })

  test('belongs to somebody else', async () => {
    await chmod(directory, 0o500)
    const below = join(directory, 'jobs')
    const inside = await realpath(directory)
    const problem = { code: 'HOLDFAST_STORAGE', field: 'directory' }
    expect(await withoutPrivileges(() => refusal({ directory: below }))).toEqual({ ...problem, value: below })
    await chmod(directory, 0o555)
    expect(await withoutPrivileges(() => refusal({}))).toEqual({ ...problem, value: inside })
    expect(await readdir(directory)).toEqual([])
  })

  test.each([...NETWORK_KINDS])('is on a network file system of kind %i, %s, unless that is wanted', async (kind) => {
    // Some systems give a signed number.
    for (const given of [kind, kind | 0]) {
      const fileSystem = filesBut({ kindOf: async () => given })
      const problem = { code: 'HOLDFAST_NETWORK_FILE_SYSTEM', field: 'directory', value: directory }
      expect(await refusal({ fileSystem })).toEqual(problem)
      expect(await readdir(directory)).toEqual([])
      await (await opened({ fileSystem, directory: join(directory, 'wanted'), allowNetworkFileSystem: true })).close()
      await rm(join(directory, 'wanted'), { recursive: true })
    }
  })

  test('holds a journal of a newer format', async () => {
    await (await opened()).close()
    const path = join(directory, '0000000001.journal')
    const { encodeLine } = await import('../../src/adapters/node-fs/lines.ts')
    const begin = { kind: 'begin', format: 99, sequence: 0, highest: 0, versions: 0 } as const
    await writeFile(path, Buffer.concat([encodeLine(begin), encodeLine({ kind: 'end', count: 0, digest: '' })]))
    const before = await readFile(path)
    const value = await realpath(directory)
    expect(await refusal({})).toEqual({ code: 'HOLDFAST_STORAGE_NEWER', field: 'directory', value })
    expect(await readFile(path)).toEqual(before)
  })

  test.each(['0000000001.journal', '9999999999.journal'])(
    'has %s in the way, which only looks like a journal',
    async (name) => {
      await writeFile(join(directory, name), 'a diary')
      await expect(nodeFs({ directory }).open()).rejects.toMatchObject(await inTheWay(name))
      expect(await readFile(join(directory, name), 'utf8')).toBe('a diary')
    },
  )
})

/** The error says which of the files it is. */
async function inTheWay(name: string): Promise<object> {
  const value = await realpath(directory)
  const message: unknown = expect.stringContaining(join(value, name))
  return { code: 'HOLDFAST_STORAGE', message, details: { field: 'directory', value } }
}

test.each([
  ['takes the place of the next segment', '0000000002.journal'],
  ['has the number of a segment of long ago or far ahead', '9999999999.journal'],
])('a file that %s is told, and when it is gone the work goes on', async (_, name) => {
  const storage = await opened({ rollAt: 100_000 })
  await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
  await writeFile(join(directory, name), '')
  const more = newJob({ id: 'b', payload: 'x'.repeat(200_000) })
  await storage.enqueue({ jobs: [more], now: NOW })
  const refused = storage.enqueue({ jobs: [newJob({ id: 'c' })], now: NOW })
  await expect(refused).rejects.toMatchObject(await inTheWay(name))
  expect(storage.health?.().state).toBe('failing')
  await rm(join(directory, name))
  await storage.enqueue({ jobs: [newJob({ id: 'd' })], now: NOW })
  expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a', 'b', 'd'])
  await storage.close()
})

test('a process that sleeps between its list and its look is not misled by what was retired meanwhile', async () => {
  let sleeping: ((names: readonly string[]) => Promise<void>) | null = null
  const fileSystem = filesBut({
    async list(folder) {
      const names = await systemFiles.list(folder)
      const sleep = sleeping
      sleeping = null
      await sleep?.(names)
      return names
    },
  })
  const [sleeper, others] = [await opened({ rollAt: 1, fileSystem }), await opened({ rollAt: 1 })]
  // Jobs that come and go: the log grows, and what a snapshot holds does not.
  const roll = async (): Promise<void> => {
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await others.enqueue({ jobs: [newJob({ id, payload: 'x'.repeat(20_000) })], now: NOW })
      await others.amend({ batch: [{ kind: 'remove', id }], now: NOW })
    }
  }
  await roll()
  // Each list that it gets is some rolls old when it looks.
  let lists = 0
  const oversleep = async (): Promise<void> => {
    lists += 1
    if (lists < 4) {
      await roll()
      sleeping = oversleep
    }
  }
  sleeping = oversleep
  await sleeper.enqueue({ jobs: [newJob({ id: 'mine' })], now: NOW })
  expect(lists).toBeGreaterThan(1)
  expect((await allJobs(sleeper)).map(({ id }) => id)).toContain('mine')
  await sleeper.close()
  await others.close()
})

test('the folder and the files in it are for their owner alone', async () => {
  const inside = join(directory, 'made', 'for', 'jobs')
  const storage = await opened({ directory: inside })
  await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
  expect((await stat(inside)).mode & 0o777).toBe(0o700)
  expect((await stat(join(inside, '0000000001.journal'))).mode & 0o777).toBe(0o600)
  await storage.close()
})

test('unrelated files are left alone', async () => {
  await mkdir(join(directory, 'folder.journal'))
  await writeFile(join(directory, 'notes.txt'), 'mine')
  await writeFile(join(directory, '12.journal'), 'mine too')
  await writeFile(join(directory, '0000000001.notes.tmp'), 'mine as well')
  const storage = await opened({ rollAt: 1 })
  for (const id of ['a', 'b', 'c', 'd']) await storage.enqueue({ jobs: [newJob({ id })], now: NOW })
  await storage.close()
  expect(await readFile(join(directory, 'notes.txt'), 'utf8')).toBe('mine')
  expect(await readFile(join(directory, '12.journal'), 'utf8')).toBe('mine too')
  expect(await readFile(join(directory, '0000000001.notes.tmp'), 'utf8')).toBe('mine as well')
  expect(await readdir(directory)).toContain('folder.journal')
})

test('files of others are left alone also where they look like the socket of a process that is gone', async () => {
  const names = ['notes.sock', 'abcdefghijkl-1.sock']
  for (const name of names) await writeFile(join(directory, name), 'mine')
  // One that is gone: its socket's file stays behind, and is swept away.
  const gone = createServer()
  const left = join(directory, 'ABCDEFGHIJKL-1.sock')
  await new Promise<void>((resolve) => gone.listen(`${left}.tmp`, resolve))
  await link(`${left}.tmp`, left)
  await new Promise((resolve) => gone.close(resolve))
  const storage = await opened()
  await expect.poll(() => readdir(directory), { timeout: 60_000 }).not.toContain('ABCDEFGHIJKL-1.sock')
  for (const name of names) expect(await readFile(join(directory, name), 'utf8')).toBe('mine')
  await storage.close()
})

test('two paths to one folder are one storage', async () => {
  const link = `${directory}-link`
  await symlink(directory, link)
  try {
    const [one, other] = [await opened(), await opened({ directory: link })]
    await one.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await other.enqueue({ jobs: [newJob({ id: 'b' })], now: NOW })
    expect((await allJobs(other)).map(({ id }) => id).sort()).toEqual(['a', 'b'])
    await one.close()
    await other.close()
  } finally {
    await rm(link)
  }
})

test('a path longer than a socket name may be works like any other', async () => {
  const long = join(directory, 'x'.repeat(120))
  const storage = await opened({ directory: long })
  await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
  await storage.close()
  expect((await readdir(long)).filter((name) => !name.endsWith('.journal'))).toEqual([])
})

test('a folder that is removed under us is told, and nothing is acknowledged', async () => {
  const storage = await opened()
  await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
  await rm(directory, { recursive: true })
  expect(await codeOf(storage.enqueue({ jobs: [newJob({ id: 'b' })], now: NOW }))).toBe('HOLDFAST_STORAGE')
  expect(storage.health?.().state).toBe('failing')
  await storage.close()
})

test('every read sees what was acknowledged elsewhere before it, where no hint comes', async () => {
  const deaf = { fileSystem: filesBut({ watch: () => () => undefined }) }
  const [writer, reader] = [await opened(deaf), await opened(deaf)]
  const ids = Array.from({ length: 20 }, (_, at) => `job ${at}`)
  for (const [at, id] of ids.entries()) {
    await writer.enqueue({ jobs: [newJob({ id })], now: NOW })
    const reads = [
      async () => (await reader.counts({ now: NOW })).pending,
      async () => (await allJobs(reader)).length,
      async () => (await reader.get(ids)).filter((job) => job !== null).length,
    ]
    expect(await reads[at % reads.length]?.()).toBe(at + 1)
  }
  await Promise.all([writer.close(), reader.close()])
})

test('the journal can be read with the tools of the system', async () => {
  const storage = await opened()
  await storage.enqueue({ jobs: [newJob({ id: 'seen-by-tail' })], now: NOW })
  await storage.close()
  expect(execFileSync('tail', ['-n', '2', join(directory, '0000000001.journal')], { encoding: 'utf8' })).toContain(
    '"seen-by-tail"',
  )
})

test('names of jobs, types and queues never become paths', async () => {
  const storage = await opened({ rollAt: 1 })
  const evil = '../../../evil'
  await storage.enqueue({ jobs: [newJob({ id: evil, type: evil, queueName: evil, jobKey: evil })], now: NOW })
  await storage.enqueue({ jobs: [newJob({ id: `${evil}2` })], now: NOW })
  await storage.close()
  expect((await readdir(directory)).every((name) => /^\d{10}\.journal$/.test(name))).toBe(true)
})
