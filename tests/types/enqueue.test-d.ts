import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  defineJob,
  type EnqueuedJob,
  type EnqueueItem,
  type JobQueue,
  openQueue,
  type StandardSchema,
} from '../../src/index.ts'
import { memory } from '../../src/adapters/memory/index.ts'

const sendEmail = defineJob({
  type: 'send_email',
  payload: z.object({ to: z.email(), subject: z.string().default('Hello') }),
})
const resize = defineJob({ type: 'resize', payload: z.object({ width: z.string().transform(Number) }) })
const anything = defineJob({ type: 'anything' })

declare const open: JobQueue
declare const closed: JobQueue<readonly [typeof sendEmail, typeof resize]>

test('a definition carries its name', () => {
  expectTypeOf(sendEmail.type).toEqualTypeOf<'send_email'>()
})

test('the payload is what the schema of the definition takes', () => {
  void open.enqueue(sendEmail, { to: 'user@example.com' })
  void open.enqueue(sendEmail, { to: 'user@example.com', subject: 'Welcome!' })
  void open.enqueue(resize, { width: '100' })
  // @ts-expect-error -- `to` is a text
  void open.enqueue(sendEmail, { to: 42 })
  // @ts-expect-error -- `to` is missing
  void open.enqueue(sendEmail, { subject: 'Welcome!' })
  // @ts-expect-error -- the schema takes a text and makes a number of it
  void open.enqueue(resize, { width: 100 })
  // @ts-expect-error -- the payload is missing
  void open.enqueue(sendEmail)
})

test('payloads of the structured-clone format may hold what their schema says, Blobs and all', () => {
  const upload = defineJob({
    type: 'upload',
    payloadFormat: 'structured-clone',
    payload: z.object({
      photo: z.instanceof(Blob),
      taken: z.date(),
      tags: z.map(z.string(), z.number()),
      bytes: z.instanceof(ArrayBuffer).transform((buffer) => new Uint8Array(buffer)),
    }),
  })
  const payload = {
    photo: new File([], 'a.jpg'),
    taken: new Date(),
    tags: new Map([['a', 1]]),
    bytes: new ArrayBuffer(1),
  }
  void open.enqueue(upload, payload)
  // @ts-expect-error -- a text is no Blob
  void open.enqueue(upload, { ...payload, photo: 'a.jpg' })
  upload.handler(({ photo, taken, tags, bytes }) => {
    expectTypeOf(photo).toEqualTypeOf<Blob>()
    expectTypeOf(taken).toEqualTypeOf<Date>()
    expectTypeOf(tags).toEqualTypeOf<Map<string, number>>()
    expectTypeOf(bytes).toExtend<Uint8Array>()
  })
  expectTypeOf(upload.payloadFormat).toEqualTypeOf<'json' | 'structured-clone'>()
  // @ts-expect-error -- no such format
  defineJob({ type: 'bad', payloadFormat: 'yaml' })
})

test('a definition without a schema takes any payload', () => {
  void open.enqueue(anything, { whatever: [1, 'two', null] })
  void open.enqueue(anything, null)
})

test('by name the payload is that of the definition of the queue', () => {
  void closed.enqueue('send_email', { to: 'user@example.com' })
  void closed.enqueue('resize', { width: '100' })
  // @ts-expect-error -- `to` is a text
  void closed.enqueue('send_email', { to: 42 })
  // @ts-expect-error -- the payload of another job
  void closed.enqueue('send_email', { width: '100' })
})

test('a queue with a list of jobs knows no other name', () => {
  // @ts-expect-error -- not among the jobs
  void closed.enqueue('send_emial', { to: 'user@example.com' })
})

test('a queue without a list of jobs takes any name and any payload', () => {
  void open.enqueue('whatever', { n: 1 })
})

test('openQueue infers the jobs: users write no generics', async () => {
  const queue = await openQueue({ storage: memory(), jobs: [sendEmail, resize] })
  void queue.enqueue('resize', { width: '100' })
  // @ts-expect-error -- not among the jobs
  void queue.enqueue('anything', null)
  const any = await openQueue({ storage: memory() })
  void any.enqueue('anything', null)
  await using used = await openQueue({ storage: memory() })
  expectTypeOf(used.counts()).resolves.toHaveProperty('pending')
})

test('the options are checked', () => {
  void open.enqueue(anything, null, { delay: '30s', priority: 'high', jobKey: 'key', jobKeyMode: 'preserveRunAt' })
  void open.enqueue(anything, null, {
    runAt: new Date(),
    maxRetries: 5,
    queueName: 'user-42',
    requires: ['online', 'wifi'],
  })
  void open.enqueue(anything, null, { runAt: '2031-01-01T00:00:00Z' })
  // @ts-expect-error -- no such unit
  void open.enqueue(anything, null, { delay: '5 parsecs' })
  // @ts-expect-error -- no unit at all
  void open.enqueue(anything, null, { delay: 'soon' })
  // @ts-expect-error -- no such priority
  void open.enqueue(anything, null, { priority: 'urgent' })
  // @ts-expect-error -- no such mode
  void open.enqueue(anything, null, { jobKey: 'key', jobKeyMode: 'overwrite' })
  // @ts-expect-error -- no such option
  void open.enqueue(anything, null, { jobkey: 'key' })
})

test('many jobs may be of many kinds', () => {
  void open.enqueueMany([
    { job: sendEmail, payload: { to: 'user@example.com' } },
    { job: resize, payload: { width: '1' }, options: { delay: '1h' } },
    { job: 'by name' },
  ])
  // @ts-expect-error -- no such field
  void open.enqueueMany([{ job: anything, data: {} }])
})

test('each of many jobs is checked as it would be alone', () => {
  void closed.enqueueMany([
    { job: 'send_email', payload: { to: 'user@example.com' } },
    { job: 'resize', payload: { width: '1' }, options: { delay: '1h' } },
    { job: sendEmail, payload: { to: 'user@example.com' } },
  ])
  // @ts-expect-error -- `to` is a text
  void open.enqueueMany([{ job: sendEmail, payload: { to: 1 } }])
  // @ts-expect-error -- the payload is missing
  void open.enqueueMany([{ job: sendEmail }])
  void closed.enqueueMany([
    { job: 'resize', payload: { width: '1' } },
    // @ts-expect-error -- the payload of another job
    { job: 'send_email', payload: { width: '1' } },
  ])
  // @ts-expect-error -- not among the jobs
  void closed.enqueueMany([{ job: 'send_emial', payload: {} }])
  // @ts-expect-error -- no such option
  void open.enqueueMany([{ job: anything, options: { dely: 1 } }])
})

test('many jobs may come from a list that is made', () => {
  const people = ['ann@example.com', 'bob@example.com']
  void open.enqueueMany(people.map((to) => ({ job: sendEmail, payload: { to } })))
  void closed.enqueueMany(people.map((to) => ({ job: 'send_email', payload: { to } })))
  // @ts-expect-error -- `to` is a text
  void open.enqueueMany(people.map((to) => ({ job: sendEmail, payload: { to: to.length } })))
  const items: readonly EnqueueItem[] = people.map((to) => ({ job: 'send_email', payload: { to } }))
  void open.enqueueMany(items)
})

test('the answer says what became of the call', () => {
  expectTypeOf(open.enqueue(anything, null)).resolves.toExtend<EnqueuedJob>()
  expectTypeOf<EnqueuedJob['disposition']>().toEqualTypeOf<'created' | 'replaced' | 'kept'>()
})

test('any Standard Schema will do', () => {
  const schema: StandardSchema<string, number> = {
    '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value: Number(value) }) },
  }
  const counted = defineJob({ type: 'counted', payload: schema })
  void open.enqueue(counted, '7')
  // @ts-expect-error -- the schema takes a text
  void open.enqueue(counted, 7)
  counted.handler((payload) => expectTypeOf(payload).toEqualTypeOf<number>())
})

test('a schema that is none is refused', () => {
  // @ts-expect-error -- not a Standard Schema
  defineJob({ type: 'bad', payload: { to: 'string' } })
})
