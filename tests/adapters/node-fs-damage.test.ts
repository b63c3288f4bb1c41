// What a journal does with bytes that are not what was written.
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FileSystem, nodeFs, type NodeFsOptions } from '../../src/adapters/node-fs/index.ts'
import { systemFiles } from '../../src/adapters/node-fs/system-files.ts'
import { openQueue } from '../../src/index.ts'
import { newJob } from '../../src/testing/index.ts'
import { allJobs, NOW } from '../core/kit-targets.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-damage-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function opened(options: Partial<NodeFsOptions> = {}): Promise<ReturnType<typeof nodeFs>> {
  const storage = nodeFs({ directory, ...options })
  await storage.open()
  return storage
}

describe('damaged lines', () => {
  test('are not what a read of the journal happens to part from its newline', async () => {
    const storage = await opened()
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await storage.close()
    const path = join(directory, '0000000001.journal')
    const text = await readFile(path, 'latin1')
    // Reads are of 1 MiB from the end of the snapshot on: the newline in front of the next line is the last byte of one.
    const start = text.indexOf('\n', text.indexOf('"kind":"end"'))
    await appendFile(path, '\n'.repeat(start + 2 ** 20 - 1 - text.length))
    const next = await opened()
    for (const id of ['b', 'c']) await next.enqueue({ jobs: [newJob({ id })], now: NOW })
    await next.close()
    const again = await opened()
    expect((await allJobs(again)).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(again.health?.().damaged).toBe(0)
    await again.close()
  })

  test('are set aside and counted, and the rest works', async () => {
    const storage = await opened()
    for (const id of ['a', 'b', 'c']) await storage.enqueue({ jobs: [newJob({ id })], now: NOW })
    await storage.close()
    const path = join(directory, '0000000001.journal')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"b"', '"B"'))
    const queue = await openQueue({ storage: nodeFs({ directory }) })
    expect(queue.health()).toMatchObject({ state: 'ok', damaged: 1, jobs: 2 })
    await queue.enqueue('test', 1)
    expect(await queue.counts()).toMatchObject({ pending: 3 })
    await queue.close()
    const aside = (await readdir(directory)).filter((name) => name.endsWith('.damaged'))
    expect(aside).toHaveLength(1)
    expect(await readFile(join(directory, aside[0] ?? ''), 'utf8')).toContain('"B"')
  })

  test('are kept when a close resolves, however long that takes', async () => {
    const storage = await opened()
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await storage.close()
    const path = join(directory, '0000000001.journal')
    await writeFile(path, (await readFile(path, 'utf8')).replace('"a"', '"A"'))
    let kept = false
    const fileSystem: FileSystem = {
      ...systemFiles,
      async open(name, how) {
        const file = await systemFiles.open(name, how)
        if (!name.endsWith('.damaged')) return file
        // Longer than all else that a close does.
        for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve))
        return { ...file, close: () => file.close().then(() => void (kept = true)) }
      },
    }
    const again = await opened({ fileSystem })
    await again.close()
    expect(kept).toBe(true)
  })

  test('in a snapshot are mended from the segment before it', async () => {
    const storage = await opened({ rollAt: 1 })
    for (const id of ['a', 'b', 'c']) await storage.enqueue({ jobs: [newJob({ id })], now: NOW })
    await storage.close()
    const [newest = ''] = (await readdir(directory))
      .filter((name) => name.endsWith('.journal'))
      .sort()
      .reverse()
    const path = join(directory, newest)
    const text = await readFile(path, 'utf8')
    expect(text).toContain('"a"')
    await writeFile(path, text.replace('"a"', '"A"'))
    const again = await opened({ rollAt: 1 })
    expect((await allJobs(again)).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect(again.health?.().damaged).toBe(1)
    await again.close()
  })

  describe('in a segment that stands in for a damaged snapshot', () => {
    /** Segment 2 holds a snapshot of `a` and the record of `b`; the snapshot of 3 is damaged, and the record of `c` is not. */
    async function standingIn(spoilt: (before: string) => string): Promise<{ ids: string[]; damaged: unknown }> {
      const storage = await opened({ rollAt: 1 })
      for (const [id, length] of Object.entries({ a: 1000, b: 5000, c: 0 }))
        await storage.enqueue({ jobs: [newJob({ id, payload: 'x'.repeat(length) })], now: NOW })
      await storage.close()
      const [before, newest] = ['0000000002.journal', '0000000003.journal'].map((name) => join(directory, name))
      await writeFile(newest ?? '', (await readFile(newest ?? '', 'utf8')).replace('"a"', '"A"'))
      await writeFile(before ?? '', spoilt(await readFile(before ?? '', 'utf8')))
      const again = await opened({ rollAt: 1 })
      const ids = (await allJobs(again)).map(({ id }) => id)
      const damaged = again.health?.().damaged
      await again.close()
      return { ids, damaged }
    }

    const setAside = async (): Promise<string[]> => {
      const names = (await readdir(directory)).filter((name) => /^0000000002-.*damaged$/.test(name))
      return Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))
    }

    test('lines are set aside and counted', async () => {
      const { ids, damaged } = await standingIn((before) => before.replace('"b"', '"B"'))
      expect({ ids, damaged }).toEqual({ ids: ['a', 'c'], damaged: 2 })
      expect(await setAside()).toEqual([expect.stringContaining('"B"')])
    })

    test('an end without its seal is set aside and counted, since nobody goes on before there is one', async () => {
      const { ids, damaged } = await standingIn((before) => before.slice(0, before.indexOf('"b"') + 3))
      expect({ ids, damaged }).toEqual({ ids: ['a', 'c'], damaged: 2 })
      expect(await setAside()).toEqual([expect.stringMatching(/"b"$/)])
    })

    test('what a late writer left behind the seal is no damage: nothing there would count if it were whole', async () => {
      const { ids, damaged } = await standingIn((before) => `${before}\n01234567 {"kind":"rec\n01234567 {"ki`)
      expect({ ids, damaged }).toEqual({ ids: ['a', 'b', 'c'], damaged: 1 })
      expect(await setAside()).toEqual([])
    })
  })

  test('what a torn write leaves is no part of the next record', async () => {
    const storage = await opened()
    await storage.enqueue({ jobs: [newJob({ id: 'a' })], now: NOW })
    await appendFile(join(directory, '0000000001.journal'), '\n01234567 {"kind":"record","id":"torn')
    await storage.enqueue({ jobs: [newJob({ id: 'b' })], now: NOW })
    expect((await allJobs(storage)).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(storage.health?.()).toMatchObject({ state: 'ok', damaged: 1 })
    await storage.close()
  })
})
