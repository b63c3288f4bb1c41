import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { memory } from '../../src/adapters/memory/index.ts'
import { nodeFs } from '../../src/adapters/node-fs/index.ts'
import { MemoryStorage } from '../../src/core/storage/memory-storage.ts'
import { defineJob, openQueue, type StorageAdapter } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { problemOf } from './doubles.ts'

const upload = defineJob({ type: 'upload', payloadFormat: 'structured-clone' })
const plain = defineJob({ type: 'plain' })

function jsonStorage(): StorageAdapter {
  return new MemoryStorage({ name: 'json', payload: 'json' })
}

const REFUSED = { code: 'HOLDFAST_PAYLOAD_FORMAT', field: 'payloadFormat' }

describe('a storage that keeps only JSON', () => {
  test('the queue is not opened with such a definition, nor is its storage', async () => {
    const directory = join(tmpdir(), `holdfast-never-${process.pid}`)
    expect(await problemOf(() => openQueue({ storage: nodeFs({ directory }), jobs: [plain, upload] }))).toEqual(REFUSED)
    expect(existsSync(directory)).toBe(false)
  })

  test('a queue without a list of jobs refuses the definition where it meets it', async () => {
    const queue = await openQueue({ storage: jsonStorage() })
    expect(await problemOf(() => queue.enqueue(upload, null))).toEqual(REFUSED)
    const many = [{ job: plain }, { job: upload }]
    expect(await problemOf(() => queue.enqueueMany(many))).toEqual({ ...REFUSED, field: 'items[1].payloadFormat' })
    expect(await problemOf(() => queue.createExecutor({ handlers: [upload.handler(() => null)] }))).toEqual(REFUSED)
    expect((await queue.counts()).pending).toBe(0)
    await queue.close()
  })

  test('other definitions are as welcome as ever', async () => {
    const queue = await openQueue({ storage: jsonStorage(), jobs: [plain] })
    expect((await queue.enqueue(plain, { n: 1 })).payload).toEqual({ n: 1 })
    await queue.close()
  })
})

describe('the definition decides', () => {
  test('json is the default, and another format is refused', async () => {
    expect([plain.payloadFormat, upload.payloadFormat]).toEqual(['json', 'structured-clone'])
    expect(await problemOf(() => defineJob({ type: 'a', payloadFormat: 'yaml' as 'json' }))).toEqual({
      code: 'HOLDFAST_INVALID_OPTION',
      field: 'payloadFormat',
    })
  })

  test('payloads of other definitions are JSON on every storage', async () => {
    const queue = await openQueue({ storage: memory() })
    const refused = { code: 'HOLDFAST_INVALID_PAYLOAD', field: 'payload.at' }
    expect(await problemOf(() => queue.enqueue(plain, { at: new Date(0) }))).toEqual(refused)
    expect(await problemOf(() => queue.enqueue('upload', { at: new Date(0) }))).toEqual(refused)
    await queue.close()
  })

  test('by its name too', async () => {
    const queue = await openQueue({ storage: memory(), jobs: [upload] })
    expect((await queue.enqueue('upload', { at: new Date(0) })).payload).toEqual({ at: new Date(0) })
    await queue.close()
  })
})

test('a queue of photo uploads as Blobs', async () => {
  const photo = defineJob({
    type: 'photo',
    payloadFormat: 'structured-clone',
    payload: z.object({ photo: z.instanceof(Blob), taken: z.coerce.date(), tags: z.map(z.string(), z.number()) }),
  })
  const sent: unknown[] = []
  const handler = photo.handler(async ({ photo, taken, tags }) => {
    sent.push([await photo.text(), photo.type, taken.getTime(), tags.get('tide')])
    return { bytes: photo.size }
  })
  await using jobs = await testQueue({ jobs: [photo], handlers: [handler] })
  const payload = { photo: new Blob(['sea'], { type: 'image/jpeg' }), taken: 5, tags: new Map([['tide', 2]]) }
  const { id } = await jobs.queue.enqueue(photo, payload)
  await jobs.drain()
  expect(sent).toEqual([['sea', 'image/jpeg', 5, 2]])
  expect(await jobs.queue.result(id)).toEqual({ status: 'completed', result: { bytes: 3 } })
  expect((await jobs.queue.get(id))?.payload).toEqual({ ...payload, taken: new Date(5) })
})

test('what the caller does to its payload after the call, even before it is answered, changes no job', async () => {
  await using jobs = await testQueue({ jobs: [upload] })
  const payload = { at: new Date(1), map: new Map([['n', 1]]), bytes: new Uint8Array([1]) }
  const enqueued = jobs.queue.enqueue(upload, payload)
  payload.at.setTime(2)
  payload.map.set('n', 2)
  payload.bytes[0] = 2
  const stored = { at: new Date(1), map: new Map([['n', 1]]), bytes: new Uint8Array([1]) }
  const { id, payload: answered } = await enqueued
  expect(answered).toEqual(stored)
  ;(answered as typeof payload).bytes[0] = 3
  expect((await jobs.queue.get(id))?.payload).toEqual(stored)
})

test('a handler that changes its payload finds it whole when it runs again', async () => {
  const seen: number[] = []
  const handler = upload.handler((payload) => {
    const bytes = payload as Uint8Array
    seen.push(bytes[0] as number)
    bytes[0] = 9
    if (seen.length === 1) throw new Error('again')
  })
  await using jobs = await testQueue({ jobs: [upload], handlers: [handler] })
  const { id } = await jobs.queue.enqueue(upload, new Uint8Array([1]))
  await jobs.drain()
  await jobs.advance('10s')
  expect(seen).toEqual([1, 1])
  expect((await jobs.queue.get(id))?.payload).toEqual(new Uint8Array([1]))
})

test('results and progress stay JSON', async () => {
  let progress: unknown
  const handler = upload.handler((_payload, ctx) => {
    try {
      ctx.progress({ at: new Date(0) })
    } catch (error) {
      progress = error
    }
    return { at: new Date(0) }
  })
  await using jobs = await testQueue({ jobs: [upload], handlers: [handler] })
  const { id } = await jobs.queue.enqueue(upload, null)
  await jobs.drain()
  expect(progress).toMatchObject({ code: 'HOLDFAST_INVALID_PAYLOAD', details: { field: 'progress.at' } })
  expect(await jobs.queue.get(id)).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_INVALID_PAYLOAD' } })
})

test('many jobs, and jobs that a completion enqueues, keep their payloads', async () => {
  const parent = defineJob({ type: 'parent' })
  const payloads: unknown[] = []
  const handlers = [
    parent.handler((_payload, ctx) => ctx.onComplete.enqueue(upload, new Map([['from', new Date(1)]]))),
    upload.handler((payload) => void payloads.push(payload)),
  ]
  await using jobs = await testQueue({ jobs: [parent, upload], handlers })
  await jobs.queue.enqueueMany([{ job: upload, payload: new ArrayBuffer(2) }, { job: parent }])
  await jobs.drain()
  expect(payloads).toEqual([new ArrayBuffer(2), new Map([['from', new Date(1)]])])
})

test('the same id with the same payload is a repeat, with another a conflict', async () => {
  await using jobs = await testQueue({ jobs: [upload] })
  const call = (byte: number, id = 'one'): Promise<{ disposition: string }> =>
    jobs.queue.enqueue(upload, { photo: new Uint8Array([byte]), at: new Date(1) }, { id })
  await call(1)
  expect((await call(1)).disposition).toMatch(/created|kept/)
  expect(await problemOf(() => call(2))).toEqual({ code: 'HOLDFAST_ID_CONFLICT', field: 'id' })
})

test('lists under a key are joined until the job runs', async () => {
  await using jobs = await testQueue({ jobs: [upload] })
  const file = new File(['b'], 'b.jpg')
  await jobs.queue.enqueue(upload, [new Uint8Array([1])], { jobKey: 'batch' })
  const { payload } = await jobs.queue.enqueue(upload, [file], { jobKey: 'batch' })
  expect(payload).toEqual([new Uint8Array([1]), file])
  expect((payload as [unknown, File])[1].name).toBe('b.jpg')
})

test('binaryLimit bounds the binary parts, payloadLimit the rest', async () => {
  await using jobs = await testQueue({ jobs: [upload], binaryLimit: 10, payloadLimit: 40 })
  const tooLarge = { code: 'HOLDFAST_PAYLOAD_TOO_LARGE', field: 'payload' }
  await jobs.queue.enqueue(upload, { a: new Uint8Array(10) })
  expect(await problemOf(() => jobs.queue.enqueue(upload, { a: new Blob(['x'.repeat(11)]) }))).toEqual(tooLarge)
  expect(await problemOf(() => jobs.queue.enqueue(upload, { a: 'x'.repeat(40) }))).toEqual(tooLarge)
  expect(await problemOf(() => openQueue({ storage: memory(), binaryLimit: -1 }))).toEqual({
    code: 'HOLDFAST_INVALID_OPTION',
    field: 'binaryLimit',
  })
})

test('the binary parts of a payload have at most 50 MB unless the queue says otherwise', async () => {
  await using jobs = await testQueue({ jobs: [upload] })
  await jobs.queue.enqueue(upload, new Blob([new Uint8Array(50_000_000)]))
  expect((await problemOf(() => jobs.queue.enqueue(upload, new Uint8Array(50_000_001)))).code).toBe(
    'HOLDFAST_PAYLOAD_TOO_LARGE',
  )
})
