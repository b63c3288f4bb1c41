// What the measurements of holdfast/indexeddb do in a page. Each function makes databases of its own.
/* global indexedDB, IDBKeyRange, navigator -- a page's own */
import { defineJob, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'
import { listed } from './listing.mjs'

const PAYLOAD = { data: 'x'.repeat(289) }
const work = defineJob({ type: 'work' })

let databases = 0
const freshName = () => `bench-${Date.now()}-${++databases}`
const perSecond = (count, since) => (count / (performance.now() - since)) * 1000
const quantile = (values, share) => values.sort((a, b) => a - b)[Math.floor(values.length * share)]
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const open = (name = freshName(), options = {}) => openQueue({ storage: indexedDb({ ...options, name }), jobs: [work] })

async function fill(queue, count) {
  for (let start = 0; start < count; start += 1000)
    await queue.enqueueMany(
      Array.from({ length: Math.min(1000, count - start) }, () => ({ job: work, payload: PAYLOAD })),
    )
}

/** Calls an async function `count` times, `width` at once, and answers how many per second. */
async function repeat(count, width, call) {
  const started = performance.now()
  let left = count
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (left-- > 0) await call()
    }),
  )
  return perSecond(count, started)
}

function rawDatabase(options) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(freshName(), 1)
    request.onupgradeneeded = () => request.result.createObjectStore('jobs', options)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

const done = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve
    transaction.onabort = () => reject(transaction.error)
  })

/** One put in a transaction of its own, awaited: what the platform gives. */
export async function rawPuts(durability) {
  const database = await rawDatabase({ autoIncrement: true })
  const rate = await repeat(300, 1, () => {
    const transaction = database.transaction('jobs', 'readwrite', { durability })
    transaction.objectStore('jobs').add({ type: 'work', payload: PAYLOAD })
    return done(transaction)
  })
  database.close()
  return rate
}

export async function enqueues(count, width) {
  const queue = await open()
  const rate = await repeat(count, width, () => queue.enqueue(work, PAYLOAD))
  await assertCounts(queue, { pending: count })
  await queue.close()
  return rate
}

export async function enqueuesMany(count) {
  const queue = await open()
  const started = performance.now()
  await fill(queue, count)
  const rate = perSecond(count, started)
  await assertCounts(queue, { pending: count })
  await queue.close()
  return rate
}

async function assertCounts(queue, expected) {
  const counts = await queue.counts()
  for (const [status, count] of Object.entries(expected))
    if (counts[status] !== count) throw new Error(`${counts[status]} jobs are ${status} instead of ${count}`)
}

/** Enqueues all, then drains: the clock runs from `start()` to the last acknowledged outcome. */
export async function drain(count, concurrency) {
  const queue = await open()
  await fill(queue, count)
  const runs = new Map()
  const executor = queue.createExecutor({
    concurrency,
    handlers: [work.handler(async (_payload, { job }) => void runs.set(job.id, (runs.get(job.id) ?? 0) + 1))],
  })
  const started = performance.now()
  await executor.start()
  await executor.processUntilIdle()
  const rate = perSecond(count, started)
  await assertCounts(queue, { completed: count })
  if (runs.size !== count || [...runs.values()].some((times) => times !== 1)) throw new Error('A job ran twice')
  await queue.close()
  return rate
}

/** A queue as it is often written by hand: a row with an index per job, a transaction per step. */
export async function naiveDrain(count, concurrency) {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open(freshName(), 1)
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore('jobs', { keyPath: 'id' })
      store.createIndex('ready', ['status', 'runAt'])
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  const begin = (durability) => database.transaction('jobs', 'readwrite', { durability })
  const filling = begin('strict')
  for (let id = 0; id < count; id++)
    filling.objectStore('jobs').put({ id, status: 'waiting', runAt: id, payload: PAYLOAD })
  await done(filling)
  const claim = async () => {
    const transaction = begin('relaxed')
    const store = transaction.objectStore('jobs')
    let job
    const range = IDBKeyRange.bound(['waiting', 0], ['waiting', Infinity])
    store.index('ready').getAll(range, 1).onsuccess = ({ target }) => {
      job = target.result[0]
      if (job !== undefined) store.put({ ...job, status: 'running' })
    }
    await done(transaction)
    return job
  }
  const started = performance.now()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let job = await claim(); job !== undefined; job = await claim()) {
        const transaction = begin('strict')
        transaction.objectStore('jobs').put({ ...job, status: 'completed' })
        await done(transaction)
      }
    }),
  )
  const rate = perSecond(count, started)
  database.close()
  return rate
}

/** From the call of enqueue to the first line of the handler, in this tab. */
export async function latency(count) {
  const queue = await open()
  let started = () => undefined
  const executor = queue.createExecutor({ handlers: [work.handler(async () => started())] })
  await executor.start()
  const spans = []
  for (let index = 0; index < count; index++) {
    const enqueued = performance.now()
    const running = new Promise((resolve) => {
      started = () => resolve(spans.push(performance.now() - enqueued))
    })
    await queue.enqueue(work, PAYLOAD)
    await running
    await pause(5)
  }
  await queue.close()
  return { p50: quantile(spans, 0.5), p95: quantile(spans, 0.95) }
}

export async function filled(name, count) {
  const queue = await open(name)
  await fill(queue, count)
  // A snapshot may be under way.
  await pause(1000)
  await queue.close()
}

const heap = () => {
  for (let times = 0; times < 3; times++) globalThis.gc?.()
  return performance.memory?.usedJSHeapSize ?? 0
}

/** Opening a database with waiting jobs, to the first job's start; then what the table keeps in memory. */
export async function openFilled(name) {
  const before = heap()
  const opening = performance.now()
  const queue = await open(name)
  let first = () => undefined
  const started = new Promise((resolve) => {
    first = resolve
  })
  const executor = queue.createExecutor({ concurrency: 1, handlers: [work.handler(async () => first())] })
  await executor.start()
  await started
  const took = performance.now() - opening
  await executor.stop()
  await pause(500)
  const bytes = heap() - before
  await queue.close()
  return { took, bytes }
}

/** So many jobs come and go, then what is left on the disk once retention has taken all but the newest thousand. */
export async function passed(name, count) {
  const queue = await open(name)
  const executor = queue.createExecutor({ concurrency: 200, handlers: [work.handler(async () => undefined)] })
  await executor.start()
  for (let start = 0; start < count; start += 10_000) {
    await fill(queue, Math.min(10_000, count - start))
    await executor.processUntilIdle()
  }
  const during = (await navigator.storage.estimate()).usage
  while ((await queue.counts()).completed > 1000) await pause(500)
  await queue.close()
  await pause(3000)
  return { during, left: (await navigator.storage.estimate()).usage }
}

// --- several tabs ---

let queue
let executor
let handled = () => undefined

/** Opens the queue that several tabs share; `concurrency`: with an executor, which `start` starts. */
export async function join(name, { concurrency, ...options } = {}) {
  queue = await open(name, options)
  if (concurrency === undefined) return
  executor = queue.createExecutor({
    concurrency,
    handlers: [
      work.handler(async (payload) => {
        const { sentAt, hold } = payload ?? {}
        if (sentAt !== undefined) handled(performance.timeOrigin + performance.now() - sentAt)
        if (hold === true) await new Promise(() => undefined)
      }),
    ],
  })
}

export async function start() {
  await executor.start()
}

/** Resolves when nothing is under way any more, a snapshot neither. */
export async function leave() {
  await queue.close({ grace: 0 })
}

export async function fillShared(count) {
  await fill(queue, count)
}

export async function drainShared() {
  await executor.start()
  await executor.processUntilIdle()
  return (await queue.counts()).completed
}

/** Collects how long jobs were on their way here. */
export async function collect(count) {
  const spans = []
  await new Promise((resolve) => {
    handled = (span) => {
      if (spans.push(span) === count) resolve()
    }
  })
  return { p50: quantile(spans, 0.5), p95: quantile(spans, 0.95) }
}

export async function send(count) {
  for (let index = 0; index < count; index++) {
    await queue.enqueue(work, { sentAt: performance.timeOrigin + performance.now() })
    await pause(20)
  }
}

/** A handler that never returns, to be taken over when its tab is gone. */
export async function hold() {
  const { id } = await queue.enqueue(work, { hold: true })
  while ((await queue.get(id)).status !== 'running') await pause(5)
  return id
}

/** Resolves with the moment when this tab runs a job that another held. */
export async function takesOver(id) {
  for (;;) {
    const { attempt, status } = await queue.get(id).then((job) => ({ attempt: job.attempts, status: job.status }))
    if (attempt > 1 && status === 'running') return performance.timeOrigin + performance.now()
    await pause(2)
  }
}

export async function lists() {
  const storage = indexedDb({ name: freshName() })
  const rows = await listed('IndexedDB', storage)
  await storage.close()
  return rows
}

/** The longest that a small write of this tab waits, until `stopWriting`. */
let writing = false
export async function longestWrite() {
  let longest = 0
  for (writing = true; writing; ) {
    const began = performance.now()
    await queue.enqueue(work, null)
    longest = Math.max(longest, performance.now() - began)
  }
  return longest
}

export function stopWriting() {
  writing = false
}
