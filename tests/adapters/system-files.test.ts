import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as promises from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemFiles } from '../../src/adapters/node-fs/system-files.ts'

// The simulated disk stands in for these calls, so what they ask of the system is seen here alone.
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>()
  return { ...real, fdatasync: vi.fn(real.fdatasync) }
})
const opened: [path: unknown, flags: unknown][] = []
const synced: unknown[] = []
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof promises>()
  const open: typeof real.open = async (path, flags, mode) => {
    opened.push([path, flags])
    const handle = await real.open(path, flags, mode)
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      synced.push(path)
      await sync()
    }
    return handle
  }
  return { ...real, open }
})

let folder = ''
beforeEach(async () => {
  folder = await promises.realpath(await promises.mkdtemp(join(tmpdir(), 'holdfast-system-')))
  opened.length = 0
  synced.length = 0
})
afterEach(() => promises.rm(folder, { recursive: true, force: true }))

test('a sync asks the system for the data of that very file', async () => {
  const file = await systemFiles.open(join(folder, 'file'), { create: true })
  file.append(Buffer.from('a'))
  expect(fs.fdatasync).not.toHaveBeenCalled()
  await file.sync()
  expect(fs.fdatasync).toHaveBeenCalledOnce()
  await file.close()
})

test('the kind of a file system is the number that the system gives it', async () => {
  for (const path of [folder, '/proc']) {
    const number = execFileSync('stat', ['--file-system', '--format', '%t', path], { encoding: 'utf8' })
    expect(await systemFiles.kindOf(path)).toBe(Number.parseInt(number, 16))
  }
  await expect(systemFiles.kindOf(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('the names in a folder are made durable by a sync of the folder', async () => {
  await systemFiles.syncFolder(folder)
  expect(synced).toEqual([folder])
})

test('a new folder is durable in the folder above it, and so is one that another process made just now', async () => {
  const inner = join(folder, 'a', 'b')
  expect(await systemFiles.makeFolder(inner)).toBe(inner)
  expect(synced).toEqual(expect.arrayContaining([folder, join(folder, 'a')]))
  synced.length = 0
  const start = process.cwd()
  try {
    process.chdir(join(folder, 'a'))
    expect(await systemFiles.makeFolder('../c/d')).toBe(join(folder, 'c', 'd'))
  } finally {
    process.chdir(start)
  }
  expect(synced).toEqual([folder, join(folder, 'c')])
  synced.length = 0
  await systemFiles.makeFolder(inner)
  expect(synced).toEqual([join(folder, 'a')])
})

test('a file is made only where that is asked for, and never takes the place of another', async () => {
  const path = join(folder, 'file')
  await expect(systemFiles.open(path, { create: false })).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await promises.readdir(folder)).toEqual([])
  const file = await systemFiles.open(path, { create: true })
  await expect(systemFiles.open(path, { create: true })).rejects.toMatchObject({ code: 'EEXIST' })
  await file.close()
})

test('what two append stands one behind the other', async () => {
  const path = join(folder, 'file')
  const one = await systemFiles.open(path, { create: true })
  const other = await systemFiles.open(path, { create: false })
  for (const [file, text] of [
    [one, 'a'],
    [other, 'b'],
    [one, 'c'],
  ] as const)
    file.append(Buffer.from(text))
  expect(await promises.readFile(path, 'utf8')).toBe('abc')
  await one.close()
  await other.close()
})
