import { afterEach, expect, test } from 'vitest'
import { indexedDb, type IndexedDbOptions } from '../../src/adapters/indexeddb/index.ts'
import { defineJob, HoldfastError, type JobQueue, openQueue } from '../../src/index.ts'
import { NOW } from '../core/kit-targets.ts'
import { FaultyFactory, type Moment } from './faulty-factory.ts'
import { closeOpened, codeOf, enqueue, faulty, healthOf, stored } from './opened-storages.ts'
import { isWebKit } from './storages.ts'

afterEach(closeOpened)

const pictures = defineJob({ type: 'pictures', payloadFormat: 'structured-clone' })
const note = defineJob({ type: 'note' })

function opened(options: IndexedDbOptions): Promise<JobQueue> {
  return openQueue({ storage: indexedDb(options), jobs: [pictures, note] })
}

/** Stores a picture in a list that is collected under a key, beside another job. Answers why it was refused, if it was. */
async function collect(queue: JobQueue): Promise<object | null> {
  const picture = new Blob(['low tide'], { type: 'image/png' })
  const [list, other] = await Promise.allSettled([
    queue.enqueue(pictures, [picture], { id: 'list', jobKey: 'shore' }),
    queue.enqueue(note, null),
  ])
  expect(other.status).toBe('fulfilled')
  if (list.status === 'fulfilled') return null
  const { code, details } = list.reason as HoldfastError
  return { code, field: details['field'] }
}

const REFUSED = { code: 'HOLDFAST_PAYLOAD_FORMAT', field: 'payload[0]' }

// WebKitGTK is driven in a private window. When this fails there because it keeps Blobs, it was mended.
test('a Blob is stored, or refused before it can do harm where the window keeps none', async () => {
  const name = `blobs-${Math.random()}`
  const queue = await opened({ name })
  expect(await collect(queue)).toEqual(isWebKit ? REFUSED : null)
  await queue.close()
  const again = await opened({ name })
  const [picture] = ((await again.get('list'))?.payload ?? []) as Blob[]
  expect(await picture?.text()).toBe(isWebKit ? undefined : 'low tide')
  // What others do to the database is not held up.
  await again.enqueue(note, null)
  expect(await again.counts()).toMatchObject({ pending: isWebKit ? 2 : 3 })
  await again.close()
})

test.for<[string, object | null]>([
  ['UnknownError', REFUSED],
  ['DataCloneError', REFUSED],
  ['QuotaExceededError', null],
])('where a first Blob meets %s, others are refused with %o', async ([error, refused], { skip }) => {
  skip(isWebKit, 'WebKitGTK keeps no Blobs in the private window that its driver opens, so none can be refused on cue')
  const factory = new FaultyFactory()
  const isTrial = ({ kind, mode, stores, method }: Moment): boolean =>
    kind === 'request' && mode === 'readwrite' && method === 'put' && stores?.join() === '$meta'
  const trials: Moment[] = []
  factory.plan = (moment) => (isTrial(moment) && trials.push(moment) === 1 ? { fault: 'fail', error } : null)
  const queue = await opened({ name: `blobs-${Math.random()}`, factory })
  expect(await collect(queue)).toEqual(refused)
  await queue.close()
})

test('a file that cannot be stored is refused, and what is in the same flush is not', async () => {
  const { factory, storage, name } = await faulty()
  await enqueue(storage, 'first')
  factory.plan = ({ method, store, query }) =>
    method === 'put' && store === 'payloads' && (query as { readonly isGone: boolean }[]).some(({ isGone }) => isGone)
      ? { fault: 'abort', error: 'DataError' }
      : null
  // Bytes go the way of Blobs, also where none are kept.
  const photo = (id: string, isGone: boolean): Promise<unknown> =>
    enqueue(storage, id, { payload: { file: new Uint8Array(9), isGone }, payloadFormat: 'structured-clone' })
  const said = await Promise.all([
    enqueue(storage, 'before'),
    photo('good', false).then(() => 'ok'),
    photo('gone', true).catch(codeOf),
    enqueue(storage, 'after'),
  ])
  expect([said[1], said[2]]).toEqual(['ok', 'HOLDFAST_PAYLOAD_FORMAT'])
  expect((await stored(name)).map(({ id }) => id)).toEqual(['first', 'before', 'good', 'after'])
  expect(healthOf(storage).state).toBe('ok')
})

test('an enqueue that is stored is answered with its own bytes, whether or not the database can be read just then', async () => {
  const { factory, storage } = await faulty()
  factory.plan = ({ kind, mode, stores }) =>
    kind === 'transaction' && mode === 'readonly' && stores?.[0] === 'payloads'
      ? { fault: 'fail', error: 'UnknownError' }
      : null
  const payload = { file: new Uint8Array(9) }
  const answer = await enqueue(storage, 'a', { payload, payloadFormat: 'structured-clone' })
  expect(answer).toMatchObject({ accepted: true, jobs: [{ job: { payload } }] })
  // Of a job that was there before nothing is told but that it was.
  const removed = await storage.amend({ batch: [{ kind: 'remove', id: 'a' }], now: NOW })
  expect(removed).toMatchObject([{ verdict: 'ok', jobs: [{ id: 'a', payload: null }] }])
})
