// What leaves a thread for the queue: a copy of its own, whose bytes are moved and not copied once more.
import { expect, test } from 'vitest'
import type { JobRecord } from '../../src/core/storage/contract.ts'
import { defineJob } from '../../src/index.ts'
import { calling } from '../../src/runtimes/threads/calls.ts'
import { HandlerRuns } from '../../src/runtimes/worker/handler-runs.ts'
import { ownCopy } from '../../src/runtimes/worker/own-copy.ts'
import { remoteQueue } from '../../src/runtimes/worker/remote-queue.ts'

const parcel = defineJob({ type: 'parcel', payloadFormat: 'structured-clone' })
const makes = defineJob({ type: 'makes' })

/** Sends as a port does: what is moved is gone afterwards. */
class Wire {
  readonly arrived: unknown[] = []
  /** The lengths, after it was sent, of the buffers that were moved with each message. */
  readonly left: number[][] = []

  readonly send = (message: unknown, moved: readonly unknown[] = []): void => {
    this.arrived.push(structuredClone(message, { transfer: moved as ArrayBuffer[] }))
    this.left.push((moved as readonly ArrayBuffer[]).map(({ byteLength }) => byteLength))
  }
}

test('the bytes of a copy are found wherever payloads have them, each buffer once', () => {
  const buffer = new ArrayBuffer(8)
  const payload = {
    views: [new Uint8Array(buffer, 0, 4), new DataView(buffer)],
    map: new Map([['a', { deep: new ArrayBuffer(3) }]]),
  }
  const { value, bytes } = ownCopy('payload', payload)
  expect(bytes.map(({ byteLength }) => byteLength)).toEqual([8, 3])
  const { views } = value as typeof payload
  expect([views[0]?.buffer, bytes.includes(buffer)]).toEqual([bytes[0], false])
})

test('shared memory is not taken along', () => {
  expect(ownCopy('payload', new Uint8Array(new SharedArrayBuffer(4))).bytes).toEqual([])
})

test('an object that contains itself is copied as it is; to refuse it is for the queue', () => {
  const loop: { self?: unknown } = {}
  loop.self = loop
  const { value } = ownCopy('payload', loop)
  expect((value as typeof loop).self).toBe(value)
})

test.each(['enqueue', 'enqueueMany'] as const)(
  'the bytes of a payload are moved to the queue by %s, and the handler keeps its own',
  (way) => {
    const wire = new Wire()
    const queue = remoteQueue(calling(wire.send), 0)
    const own = new Uint8Array([1, 2, 3])
    void (way === 'enqueue' ? queue.enqueue(parcel, own) : queue.enqueueMany([{ job: parcel, payload: own }]))
    expect([wire.left, own.byteLength]).toEqual([[[0]], 3])
    const call = { type: 'parcel', payload: own }
    expect(wire.arrived).toMatchObject([
      { message: { argumentList: [{ value: 0 }, { value: way === 'enqueue' ? call : [call] }] } },
    ])
  },
)

test('so are those of a job that it chains, once it has returned', async () => {
  const wire = new Wire()
  const own = new Uint8Array([1, 2, 3])
  const handler = makes.handler((fails, { onComplete }) => {
    onComplete.enqueue(parcel, own)
    if (fails === true) throw new Error('failed')
  })
  const queue = remoteQueue(calling(wire.send), 0)
  const runs = new HandlerRuns({ handlers: new Map([['makes', handler]]), queue: () => queue, post: wire.send })
  runs.open(null, 1000)
  const record = (payload: boolean) => ({ type: 'makes', payload }) as unknown as JobRecord
  runs.start([true, false].map((payload, run) => ({ run, record: record(payload), deadline: 0 })))
  await Promise.resolve()
  expect([wire.left, own.byteLength]).toEqual([[[0]], 3])
  expect(wire.arrived).toMatchObject([
    { news: [{ kind: 'threw' }, { kind: 'returned', chained: [{ type: 'parcel', payload: own }] }] },
  ])
})
