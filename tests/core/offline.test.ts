import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import {
  defineJob,
  type EnqueueOptions,
  FailPermanently,
  type HandlerFunction,
  type Job,
  type JobDefinition,
  RetryLater,
  Unreachable,
} from '../../src/index.ts'
import { ManualClock, testQueue } from '../../src/testing/index.ts'
import { hooked, type Operation, Stage, untilAborted } from './doubles.ts'

const upload = defineJob({ type: 'upload', requires: 'online', timeout: '1h' })
const local = defineJob({ type: 'local' })
const DAY = 86_400_000

const failedToFetch = (): never => {
  throw new TypeError('Failed to fetch')
}

/** A queue that runs uploads by this handler. */
async function uploading(run: HandlerFunction<unknown>, storage = memory()) {
  const clock = new ManualClock()
  const starts: number[] = []
  const begin = clock.now()
  const handler = upload.handler((payload, context) => {
    starts.push(Math.round((clock.now() - begin) / 1000))
    return run(payload, context)
  })
  const made = await testQueue({ storage, clock, handlers: [handler, local.handler(run)] })
  const events: string[] = []
  for (const name of ['released', 'retrying', 'failed', 'completed'] as const)
    made.queue.on(name, ({ job }) => events.push(`${name} ${job.id}`))
  const add = (options: EnqueueOptions = {}, job: JobDefinition = upload) =>
    made.queue.enqueue(job, null, { id: 'a', ...options })
  const job = async (id = 'a'): Promise<Job> => {
    const found = await made.queue.get(id)
    if (found === null) throw new Error('The job is gone')
    return found
  }
  return { ...made, starts, events, add, job }
}

describe('a job that requires the network', () => {
  test('waits while the environment says offline, and starts at the event', async () => {
    const { clock, advance, add, starts, job } = await uploading(() => 'done')
    clock.setConditions([])
    await add()
    await advance('10s')
    expect(starts).toEqual([])
    expect(await job()).toMatchObject({ status: 'pending', attempts: 0 })
    clock.setConditions(['online'])
    await clock.settle()
    expect(await job()).toMatchObject({ status: 'completed', result: 'done' })
  })

  test('is tried again after 5, 10, 20 … 300 s while the network is not what it says, and counts nothing', async () => {
    const { advance, add, starts, job, events } = await uploading(failedToFetch)
    await add({ maxRetries: 0 })
    await advance('20m')
    expect(starts).toEqual([0, 5, 15, 35, 75, 155, 315, 615, 915])
    expect(await job()).toMatchObject({
      ...{ status: 'scheduled', attempts: 0, failures: 0, unreached: 9, history: [] },
      error: { name: 'TypeError', message: 'Failed to fetch' },
    })
    expect(new Set(events)).toEqual(new Set(['released a']))
  })

  test('keeps its place in those delays when another executor goes on with it', async () => {
    const storage = memory()
    const first = await uploading(failedToFetch, storage)
    await first.add()
    await first.advance('16s')
    await first.queue.close()
    const { advance, job, clock } = await uploading(failedToFetch, storage)
    clock.setWall(first.clock.now())
    await advance('25s')
    expect(await job()).toMatchObject({ unreached: 4 })
    expect((await job()).runAt - clock.now()).toBeGreaterThan(30_000)
  })

  test('begins with 5 s again after an attempt that reached something', async () => {
    const ends = [failedToFetch, failedToFetch, () => Promise.reject(new Error('500')), failedToFetch]
    const { advance, add, starts } = await uploading(() => (ends.shift() ?? (() => 'done'))())
    await add()
    await advance('2m')
    expect(starts).toEqual([0, 5, 15, 20, 25])
  })

  test('does not sit out its delay when the platform is online again', async () => {
    let reachable = false
    const { clock, advance, add, starts, job } = await uploading(() => (reachable ? 'done' : failedToFetch()))
    await add()
    await advance('320s')
    expect(starts.at(-1)).toBe(315)
    clock.setConditions([])
    await advance('10s')
    reachable = true
    clock.setConditions(['online'])
    await clock.settle()
    expect(starts.at(-1)).toBe(330)
    expect(await job()).toMatchObject({ status: 'completed', attempts: 1, error: null })
  })

  test('other changes of conditions wake nobody from such a delay', async () => {
    const calls: Operation[] = []
    const storage = hooked(memory(), { before: (name) => void calls.push(name) })
    const { clock, advance, add, starts } = await uploading(failedToFetch, storage)
    await add()
    await advance('1s')
    calls.length = 0
    clock.setConditions(['charging', 'online'])
    await clock.settle()
    expect([starts, calls]).toEqual([[0], ['claim']])
  })

  test('is given back whatever it throws while the environment says offline', async () => {
    const stage = new Stage()
    const { clock, advance, add, job } = await uploading(stage.run)
    await add({ maxRetries: 0 })
    await advance(0)
    clock.setConditions([])
    stage.fail('a', new Error('socket hang up'))
    await clock.settle()
    expect(await job()).toMatchObject({ status: 'scheduled', attempts: 0, unreached: 1, runAt: clock.now() + 5000 })
  })

  test('is given back when it times out offline, and fails by it online', async () => {
    const { clock, advance, add, job } = await uploading(untilAborted)
    await add({ timeout: '10s' })
    await advance('5s')
    clock.setConditions([])
    await advance('6s')
    expect(await job()).toMatchObject({ failures: 0, unreached: 1, error: { code: 'HOLDFAST_TIMEOUT' } })
    clock.setConditions(['online'])
    await advance('11s')
    expect(await job()).toMatchObject({ failures: 1, unreached: 0, error: { code: 'HOLDFAST_TIMEOUT' } })
  })

  test.each([
    ['an answer of the server', () => new Error('HTTP 503')],
    ['a mistake in a program', () => new TypeError('x is not a function')],
    ['an error that only says the words', () => new Error('Failed to fetch')],
    ['a module that cannot be loaded', () => new TypeError('Failed to fetch dynamically imported module: /a.js')],
    ['a bad address', () => new TypeError("Failed to execute 'fetch' on 'Window': Failed to parse URL from http://")],
    ['a mistake that quotes the words', () => new TypeError('Failed to fetch the name of undefined')],
    ['what throws when it is looked at', () => new Proxy(new Error(), { get: failedToFetch })],
  ])('%s is a failure as usual', async (_, thrown) => {
    const { advance, add, job } = await uploading(() => Promise.reject(thrown()))
    await add({ maxRetries: 0 })
    await advance(0)
    expect(await job()).toMatchObject({ status: 'failed', attempts: 1, failures: 1 })
  })

  test.each([
    ['Chromium', new TypeError('Failed to fetch')],
    ['Chromium, with the host', new TypeError('Failed to fetch (example.com)')],
    ['Chromium, while the body came', new TypeError('network error')],
    ['Firefox', new TypeError('NetworkError when attempting to fetch resource.')],
    ['Firefox, while the body came', new TypeError('Content-Length header of network response exceeds response Body.')],
    ['WebKit', new TypeError('Load failed')],
    ['older WebKit', new TypeError('The Internet connection appears to be offline.')],
    ['Node', new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })],
    ['Node, while the body came', new TypeError('terminated')],
    ['React Native', new TypeError('Network request failed')],
    ['Deno', new TypeError('error sending request for url (https://example.com/)')],
    ['the handler itself', new Unreachable('The host is down', { cause: new Error('DNS') })],
  ])('what %s says of a missing network counts as nothing', async (_, thrown) => {
    const { advance, add, job } = await uploading(() => Promise.reject(thrown))
    await add({ maxRetries: 0 })
    await advance(0)
    expect(await job()).toMatchObject({ status: 'scheduled', attempts: 0, unreached: 1 })
  })

  test('what the handler says of itself counts, also offline', async () => {
    const { clock, advance, add, job } = await uploading((_, { job: { id } }) => {
      clock.setConditions([])
      throw id === 'a' ? new FailPermanently('gone') : new RetryLater({ after: '1h' })
    })
    await add()
    await advance(0)
    expect(await job()).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_FAILED_PERMANENTLY' } })
    clock.setConditions(['online'])
    await add({ id: 'b' })
    await clock.settle()
    expect(await job('b')).toMatchObject({ unreached: 0, runAt: clock.now() + 3_600_000 })
  })

  test('is cancelled all the same', async () => {
    const { queue, clock, advance, add, job } = await uploading(untilAborted)
    await add()
    await advance(0)
    clock.setConditions([])
    await queue.cancel('a', 'enough')
    await clock.settle()
    expect(await job()).toMatchObject({ status: 'cancelled', cancelReason: 'enough' })
  })
})

test('a job that does not require the network fails by it as by anything else', async () => {
  const { advance, add, job } = await uploading(failedToFetch)
  await add({ maxRetries: 0 }, local)
  await advance(0)
  expect(await job()).toMatchObject({ status: 'failed', failures: 1, unreached: 0 })
})

test('Unreachable is told by its code', () => {
  expect(new Unreachable()).toMatchObject({ name: 'Unreachable', code: 'HOLDFAST_UNREACHABLE' })
  expect(() => new Unreachable('x', { bogus: 1 } as never)).toThrow()
})

describe('expireAfter', () => {
  test('is 7 days for a job that requires the network, and for ever for others', async () => {
    const { add, clock, queue } = await uploading(() => null)
    const online = await add({ delay: '1h' })
    expect(online.expireAt).toBe(clock.now() + 3_600_000 + 7 * DAY)
    expect((await add({ id: 'b' }, local)).expireAt).toBeNull()
    expect((await add({ id: 'c', requires: ['online'] }, local)).expireAt).toBe(clock.now() + 7 * DAY)
    expect((await add({ id: 'd', expireAfter: Infinity })).expireAt).toBeNull()
    expect((await add({ id: 'e', expireAfter: '1m' }, local)).expireAt).toBe(clock.now() + 60_000)
    const brief = defineJob({ type: 'brief', expireAfter: '2m' })
    expect((await queue.enqueue(brief, null)).expireAt).toBe(clock.now() + 120_000)
    expect((await queue.enqueue(brief, null, { expireAfter: Infinity })).expireAt).toBeNull()
  })

  test('over, the job is failed while it waits, offline as well', async () => {
    const { clock, advance, add, job, events, starts } = await uploading(() => 'done')
    clock.setConditions([])
    await add({ expireAfter: '10m' })
    await advance('599s')
    expect(await job()).toMatchObject({ status: 'pending' })
    await advance('31s')
    expect(await job()).toMatchObject({
      status: 'failed',
      error: { name: 'HoldfastError', code: 'HOLDFAST_EXPIRED', message: 'expired' },
    })
    expect([events, starts]).toEqual([['failed a'], []])
  })

  test('the last thing that went wrong is the cause', async () => {
    const { advance, add, job, queue } = await uploading(failedToFetch)
    await add({ expireAfter: '10m' })
    await advance('12m')
    expect(await job()).toMatchObject({ status: 'failed', error: { message: 'expired', cause: { name: 'TypeError' } } })
    expect(await queue.result('a')).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_EXPIRED' } })
  })

  test('a job that was late before anybody looked is not started', async () => {
    const storage = memory()
    const { queue, clock } = await testQueue({ storage })
    await queue.enqueue(upload, null, { id: 'a', expireAfter: '1h' })
    const later = await uploading(() => 'done', storage)
    later.clock.setWall(clock.now() + 2 * 3_600_000)
    // A clock that jumped is believed by the second look, and the time of a job is up by two that say so.
    for (let look = 0; look < 3; look++) await later.advance('30s')
    expect(await later.job()).toMatchObject({ status: 'failed', attempts: 0, error: { code: 'HOLDFAST_EXPIRED' } })
    expect(later.starts).toEqual([])
  })

  test('does not cut a running attempt off', async () => {
    const stage = new Stage()
    const { clock, advance, add, job } = await uploading(stage.run)
    await add({ expireAfter: '1m' })
    await advance('10m')
    expect(await job()).toMatchObject({ status: 'running' })
    stage.end('a', 'done')
    await clock.settle()
    expect(await job()).toMatchObject({ status: 'completed', result: 'done' })
  })

  test('a clock a year ahead for a while of no service, or for one look of it, fails nothing', async () => {
    const { clock, advance, add, job } = await uploading(() => 'done')
    clock.setConditions([])
    await add()
    await advance('1m')
    const right = clock.now()
    clock.setWall(right + 365 * DAY)
    await advance('1s')
    clock.setWall(right + 1000)
    await advance('1m')
    clock.setWall(right + 365 * DAY)
    await advance('10s')
    clock.setWall(right + 71_000)
    await advance('1m')
    expect(await job()).toMatchObject({ status: 'pending' })
    clock.setConditions(['online'])
    await clock.settle()
    expect(await job()).toMatchObject({ status: 'completed' })
  })

  test('a short run with a clock a year ahead fails nothing, though it looks at its end', async () => {
    const { clock, drain, add, job } = await uploading(() => 'done')
    clock.setConditions([])
    await add()
    const right = clock.now()
    clock.setWall(right + 365 * DAY)
    await drain()
    clock.setWall(right)
    clock.setConditions(['online'])
    await drain()
    expect(await job()).toMatchObject({ status: 'completed' })
  })

  test('queue.retry gives an expired job its whole span again', async () => {
    const { queue, clock, advance, add, job } = await uploading(() => 'done')
    clock.setConditions([])
    await add({ expireAfter: '1m' })
    await advance('2m')
    expect(await job()).toMatchObject({ status: 'failed' })
    await queue.retry(['a'])
    expect(await job()).toMatchObject({ status: 'pending', expireAt: clock.now() + 60_000 })
    clock.setConditions(['online'])
    await clock.settle()
    expect(await job()).toMatchObject({ status: 'completed' })
  })

  test('more jobs than one step takes are all failed', async () => {
    const { queue, clock, advance, events } = await uploading(() => 'done')
    clock.setConditions([])
    await queue.enqueueMany(Array.from({ length: 250 }, () => ({ job: upload, options: { expireAfter: '1m' } })))
    await advance('2m')
    expect(await queue.counts()).toMatchObject({ pending: 0, failed: 250 })
    expect(events.length).toBe(250)
  })
})

test('a condition of any other name is what an environment says it is; without one the job waits, as long as it may', async () => {
  const onWifi = defineJob({ type: 'backup', requires: ['online', 'wifi'] })
  await using test = await testQueue({ handlers: [onWifi.handler(() => 'done')] })
  const { queue, clock, advance } = test
  await queue.enqueue(onWifi, null, { id: 'a' })
  await queue.enqueue(onWifi, null, { id: 'misspelt', requires: 'wify' })
  await advance('5m')
  for (const id of ['a', 'misspelt']) expect(await queue.get(id)).toMatchObject({ status: 'pending', attempts: 0 })
  clock.setConditions(['online', 'wifi'])
  await clock.settle()
  expect(await queue.get('a')).toMatchObject({ status: 'completed' })
  await advance('5m')
  expect(await queue.get('misspelt')).toMatchObject({ status: 'pending', expireAt: null, requires: ['wify'] })
})
