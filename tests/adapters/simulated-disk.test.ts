import { expect, test } from 'vitest'
import type { FileSystem } from '../../src/adapters/node-fs/file-system.ts'
import {
  DiskError,
  type DiskFault,
  type Persistence,
  SimulatedDisk,
  type SimulatedProcess,
} from '../../src/testing/index.ts'

const FOLDER = '/jobs'
const FILE = '/jobs/a'

test('what is written is read by every process, and an open file outlives its names', async () => {
  const { disk, process } = await start()
  const file = await process.open(FILE, { create: true })
  expect(file.append(bytes('one '))).toBe(4)
  const other = disk.process()
  const same = await other.open(FILE, { create: false })
  same.append(bytes('two'))
  expect(text(disk, FILE)).toBe('one two')
  expect(file.stat()).toEqual({ size: 7, names: 1 })
  await other.remove(FILE)
  expect(await process.list(FOLDER)).toEqual([])
  file.append(bytes(' more'))
  const into = new Uint8Array(20)
  expect(file.read(into, 4)).toBe(8)
  expect(new TextDecoder().decode(into.subarray(0, 8))).toBe('two more')
  expect(file.stat()).toEqual({ size: 12, names: 0 })
})

test('errors are those of node:fs', async () => {
  const { process } = await start()
  const file = await process.open(FILE, { create: true })
  await expect(process.open(FILE, { create: true })).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(process.open('/jobs/b', { create: false })).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(process.open('/elsewhere/b', { create: true })).rejects.toMatchObject({ code: 'ENOENT' })
  await process.link(FILE, '/jobs/b')
  await expect(process.link(FILE, '/jobs/b')).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(process.remove('/jobs/c')).rejects.toMatchObject({ code: 'ENOENT' })
  expect(process.openFiles).toBe(1)
  await file.close()
  expect(process.openFiles).toBe(0)
  expect(() => file.append(bytes('late'))).toThrow(DiskError)
})

test('a rename takes the place of a name, and who has the old file open keeps it', async () => {
  const { disk, process } = await start()
  const old = await process.open(FILE, { create: true })
  old.append(bytes('old'))
  const next = await process.open('/jobs/b', { create: true })
  next.append(bytes('next'))
  await process.rename('/jobs/b', FILE)
  expect(await process.list(FOLDER)).toEqual(['a'])
  expect(text(disk, FILE)).toBe('next')
  expect(old.stat()).toEqual({ size: 3, names: 0 })
})

test('data are durable after a sync that began after they were written', async () => {
  const { disk, process } = await start()
  const file = await named(process)
  file.append(bytes('first '))
  const syncing = file.sync()
  file.append(bytes('second'))
  await syncing
  expect(text(lost(disk), FILE)).toBe('first ')
  await file.sync()
  expect(text(lost(disk), FILE)).toBe('first second')
})

test('a name is durable after a sync of its folder, whatever its file did', async () => {
  const { disk, process } = await start()
  const file = await process.open(FILE, { create: true })
  file.append(bytes('data'))
  await file.sync()
  expect(await lost(disk).process().list(FOLDER)).toEqual([])
  await process.syncFolder(FOLDER)
  expect(text(lost(disk), FILE)).toBe('data')
  await process.link(FILE, '/jobs/b')
  await process.rename('/jobs/b', '/jobs/c')
  await process.remove(FILE)
  expect(await lost(disk).process().list(FOLDER)).toEqual(['a'])
  await process.syncFolder(FOLDER)
  expect(await lost(disk).process().list(FOLDER)).toEqual(['c'])
})

test('a failed sync drops what it covered, and a later one that succeeds does not bring it back', async () => {
  const { disk, process } = await start()
  const file = await named(process)
  file.append(bytes('safe '))
  await file.sync()
  file.append(bytes('gone '))
  const other = await disk.process().open(FILE, { create: false })
  process.fault = on('sync', 'EIO')
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
  process.fault = () => null
  await file.sync()
  file.append(bytes('later'))
  await file.sync()
  expect(text(disk, FILE)).toBe('safe gone later')
  expect(text(lost(disk), FILE)).toBe('safe \0\0\0\0\0later')
  // A handle that was open is told, once: what was dropped may have been its own.
  await expect(other.sync()).rejects.toMatchObject({ code: 'EIO' })
  await other.sync()
})

test('a failed sync of the folder promises nothing, and can be repeated', async () => {
  const { disk, process } = await start()
  await process.open(FILE, { create: true })
  process.fault = on('syncFolder', 'EIO')
  await expect(process.syncFolder(FOLDER)).rejects.toMatchObject({ code: 'EIO' })
  expect(lost(disk).list(FOLDER)).toEqual([])
  process.fault = () => null
  await process.syncFolder(FOLDER)
  expect(lost(disk).list(FOLDER)).toEqual(['a'])
})

test('each way to persist leaves what it says, and the same seed the same', async () => {
  const { disk, process } = await start()
  const file = await named(process)
  const writes = ['1'.repeat(600), '2'.repeat(600), '3'.repeat(600)]
  for (const write of writes) file.append(bytes(write))
  await process.link(FILE, '/jobs/b')
  const seen = (persistence: Persistence) => {
    const contents = new Set<string>()
    for (let seed = 1; seed <= 200; seed++) {
      const after = disk.afterPowerCut({ persistence, seed })
      expect(text(after, FILE)).toBe(text(disk.afterPowerCut({ persistence, seed }), FILE))
      contents.add(text(after, FILE))
    }
    return [...contents]
  }
  expect(seen('lost')).toEqual([''])
  expect(seen('kept')).toEqual([writes.join('')])
  expect(seen('prefix').sort()).toEqual(['', writes[0], `${writes[0]}${writes[1]}`, writes.join('')])
  const torn = seen('torn')
  expect(torn.every((content) => /^1*2*3*\0*$/.test(content))).toBe(true)
  expect(torn.some((content) => content.endsWith('\0'))).toBe(true)
  expect(torn.some((content) => content.length % 600 > 0)).toBe(true)
  const reordered = seen('reordered')
  expect(reordered.some((content) => /^\0+1/.test(content))).toBe(true)
  expect(reordered.some((content) => /\0[23]+$/.test(content))).toBe(true)
})

test('names may be on the disk before the data, and the other way round', async () => {
  const { disk, process } = await start()
  const file = await process.open(FILE, { create: true })
  file.append(bytes('data'))
  const states = new Set<string>()
  for (let seed = 1; seed <= 50; seed++) {
    const after = disk.afterPowerCut({ persistence: 'reordered', seed })
    const names = await after.process().list(FOLDER)
    states.add(names.length === 0 ? 'no name' : text(after, FILE))
  }
  expect([...states].sort()).toEqual(['', '\0\0\0\0', 'data', 'no name'])
})

test('a copy has its own future and the same past', async () => {
  const { disk, process } = await start()
  const file = await named(process)
  file.append(bytes('safe '))
  await file.sync()
  file.append(bytes('not yet'))
  await process.link(FILE, '/jobs/b')
  const copy = disk.copy()
  file.append(bytes(' more'))
  expect(text(copy, FILE)).toBe('safe not yet')
  expect(text(copy, '/jobs/b')).toBe('safe not yet')
  expect(text(lost(copy), FILE)).toBe('safe ')
  expect(lost(copy).list(FOLDER)).toEqual(['a'])
  const again = await copy.process().open('/jobs/b', { create: false })
  await again.sync()
  expect(again.stat()).toEqual({ size: 12, names: 2 })
  expect(text(lost(copy), FILE)).toBe('safe not yet')
})

test('a crash ends one process, half way through its append if asked; the others go on', async () => {
  const { disk, process } = await start()
  const other = disk.process()
  const file = await process.open(FILE, { create: true })
  process.fault = on('append', 'crash midway')
  expect(() => file.append(bytes('12345678'))).toThrow(DiskError)
  expect(process.gone).toBe(true)
  expect(() => file.stat()).toThrow(DiskError)
  await expect(process.list(FOLDER)).rejects.toMatchObject({ code: 'GONE' })
  const read = await other.open(FILE, { create: false })
  expect(text(disk, FILE)).toBe('1234')
  other.fault = on('append', 'crash')
  expect(() => read.append(bytes('5678'))).toThrow(DiskError)
  expect(text(disk, FILE)).toBe('1234')
})

test('a power cut ends all processes; the call on which it comes has reached the cache only', async () => {
  const { disk, process } = await start()
  const file = await named(process)
  const other = disk.process()
  file.append(bytes('safe'))
  await file.sync()
  file.append(bytes(' not yet'))
  disk.fault = on('sync', 'power cut')
  await expect(file.sync()).rejects.toMatchObject({ code: 'GONE' })
  await expect(other.list(FOLDER)).rejects.toMatchObject({ code: 'GONE' })
  expect(text(lost(disk), FILE)).toBe('safe')
  expect(text(disk.afterPowerCut({ persistence: 'kept', seed: 1 }), FILE)).toBe('safe not yet')
})

test.each(['EIO', 'ENOSPC', 'EMFILE', 'EPERM'] as const)(
  'the n-th call can fail with %s and does nothing',
  async (code) => {
    const { disk, process } = await start()
    const file = await process.open(FILE, { create: true })
    process.fault = ({ number }) => (number === process.calls && number % 2 === 1 ? code : null)
    expect(() => file.append(bytes('x'))).toThrow(DiskError)
    expect(file.append(bytes('y'))).toBe(1)
    expect(text(disk, FILE)).toBe('y')
  },
)

test('a short write leaves half and says so', async () => {
  const { disk, process } = await start()
  const file = await process.open(FILE, { create: true })
  process.fault = on('append', 'short write')
  expect(file.append(bytes('12345678'))).toBe(4)
  expect(text(disk, FILE)).toBe('1234')
})

test('before a call a test lets another process act, or holds it', async () => {
  const { disk, process } = await start()
  const file = await named(process)
  const other = await disk.process().open(FILE, { create: false })
  process.before = ({ name }) => {
    if (name === 'append') other.append(bytes('first, '))
  }
  file.append(bytes('second'))
  expect(text(disk, FILE)).toBe('first, second')

  let release: () => void = () => undefined
  process.before = ({ name }) => (name === 'link' ? new Promise((resolve) => (release = resolve)) : undefined)
  const linking = process.link(FILE, '/jobs/b')
  await disk.process().link(FILE, '/jobs/b')
  release()
  await expect(linking).rejects.toMatchObject({ code: 'EEXIST' })
})

test('watchers in other processes are told, not within the call', async () => {
  const { disk, process } = await start()
  const file = await process.open(FILE, { create: true })
  let told = 0
  const stop = disk.process().watch(FOLDER, () => void (told += 1))
  process.watch(FOLDER, () => void (told += 100))
  file.append(bytes('x'))
  expect(told).toBe(0)
  await Promise.resolve()
  expect(told).toBe(1)
  stop()
  file.append(bytes('x'))
  await Promise.resolve()
  expect(told).toBe(1)
})

async function start(): Promise<{ disk: SimulatedDisk; process: SimulatedProcess }> {
  const disk = new SimulatedDisk()
  const process = disk.process()
  // What the adapter takes is what the disk gives.
  const fileSystem: FileSystem = process
  expect(await fileSystem.makeFolder(`${FOLDER}/`)).toBe(FOLDER)
  return { disk, process }
}

/** A file whose name is safe. */
async function named(process: SimulatedProcess): ReturnType<SimulatedProcess['open']> {
  const file = await process.open(FILE, { create: true })
  await process.syncFolder(FOLDER)
  return file
}

function on(name: string, fault: DiskFault): SimulatedProcess['fault'] {
  return (call) => (call.name === name ? fault : null)
}

function lost(disk: SimulatedDisk): SimulatedDisk {
  return disk.afterPowerCut({ persistence: 'lost', seed: 1 })
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function text(disk: SimulatedDisk, path: string): string {
  return new TextDecoder().decode(disk.content(path))
}
