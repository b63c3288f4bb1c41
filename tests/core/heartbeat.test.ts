import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type { BeatRequest, SessionRequest } from '../../src/core/storage/contract.ts'
import { defineJob, type JobDefinition } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { hooked, Stage } from './doubles.ts'

const task = defineJob({ type: 'task' })

const HIDDEN = 150_000

async function beating(definition: JobDefinition = task, hidden = false) {
  const inner = memory()
  const opened: SessionRequest[] = []
  const beats: { at: number; request: BeatRequest }[] = []
  const storage = hooked(inner, {
    before: (name, request) => {
      if (name === 'beat') beats.push({ at: Math.round(clock.monotonic()), request: request as BeatRequest })
      if (name === 'session') opened.push(request as SessionRequest)
    },
  })
  const { queue, clock } = await testQueue({ storage })
  clock.setHidden(hidden)
  const stage = new Stage()
  await queue.createExecutor({ handlers: [definition.handler(stage.run)], concurrency: 10 }).start()
  return { inner, beats, opened, queue, clock, stage }
}

test('a session beats three times per lease', async () => {
  const { beats, clock } = await beating()
  await clock.advance('1m')
  expect(beats.map(({ at }) => at)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000])
})

test('the shortest lease of its types sets the pace', async () => {
  const { beats, clock } = await beating(defineJob({ type: 'quick', leaseDuration: '3s' }))
  await clock.advance('3s')
  expect(beats.map(({ at }) => at)).toEqual([1000, 2000, 3000])
})

test('one beat keeps all jobs of the session', async () => {
  const { beats, queue, clock } = await beating()
  await queue.enqueueMany(['a', 'b', 'c'].map((id) => ({ job: task, options: { id } })))
  await clock.advance('10s')
  expect(beats.map(({ request }) => request.holds.map(({ id }) => id))).toEqual([['a', 'b', 'c']])
})

test('the job shows the latest sign of life of its session', async () => {
  const { queue, clock } = await beating()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  const started = clock.now()
  await clock.advance('25s')
  expect(Math.round(((await queue.get('a'))?.lastHeartbeat ?? 0) - started)).toBe(20_000)
})

test('a job that runs for long keeps its lease', async () => {
  const { queue, clock, stage } = await beating(defineJob({ type: 'long', timeout: '2h' }))
  await queue.enqueue('long', null, { id: 'a', timeout: '2h' })
  await clock.advance('1h')
  expect([stage.started, (await queue.get('a'))?.interruptions]).toEqual([['a'], 0])
})

test('a job the session holds and nobody runs is given back: the answer to its claim was lost', async () => {
  const { inner, queue, clock, stage } = await beating()
  const [session] = await inner.sessions()
  // Stored beside the queue, so that no executor is woken.
  await inner.pause({ scope: { all: true }, paused: true })
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  await inner.pause({ scope: { all: true }, paused: false })
  await inner.claim({
    ...{ requestId: 'lost', session: session?.id ?? '', now: clock.now(), limit: 1 },
    ...{ lanes: [{ type: 'task' }], have: [], suspects: 'none' },
  })
  expect(stage.started).toEqual([])
  await clock.advance('12s')
  expect(stage.started).toEqual(['a'])
  expect(await queue.get('a')).toMatchObject({ status: 'running', attempts: 1, interruptions: 0 })
})

test('after a stop nothing beats', async () => {
  const { beats, queue, clock } = await beating()
  await queue.close()
  await clock.advance('1h')
  expect(beats).toEqual([])
})

test('a page that is hidden asks for patience at once, before its timers stretch, and no more when it is seen', async () => {
  const { beats, clock } = await beating()
  const said = () => beats.map(({ at, request }) => [at, request.patience])
  await clock.advance('3s')
  clock.setHidden(true)
  await clock.advance('11s')
  expect(said()).toEqual([
    [3000, HIDDEN],
    [13_000, HIDDEN],
  ])
  clock.setHidden(false)
  await clock.settle()
  expect(said().slice(2)).toEqual([[14_000, 0]])
})

test('a beat that stores progress before an outcome asks for the same patience', async () => {
  const { beats, queue, clock } = await beating(task, true)
  const told = defineJob({ type: 'told' })
  await queue.createExecutor({ handlers: [told.handler((_, { progress }) => progress(1))] }).start()
  await queue.enqueue(told, null)
  await clock.settle()
  const progress = beats.filter(({ request }) => request.progress.length > 0)
  expect(progress.map(({ request }) => request.patience)).toEqual([HIDDEN])
})

test('an executor that starts in a hidden page asks for patience from the opening of its session on', async () => {
  const { opened, inner, clock } = await beating(task, true)
  expect(opened).toMatchObject([{ patience: HIDDEN }])
  await inner.session({ close: (await inner.sessions())[0]?.id ?? '', now: 0 })
  await clock.advance('11s')
  expect(opened.slice(1)).toMatchObject([{ patience: HIDDEN }])
})

test('a page that goes on after it stood still beats at once', async () => {
  const { beats, clock } = await beating()
  await clock.advance('1s')
  clock.sleep('1h')
  clock.setHidden(false)
  await clock.settle()
  expect(beats).toHaveLength(1)
})

test('after a stop a page that is hidden tells nobody', async () => {
  const { beats, queue, clock } = await beating()
  await queue.close()
  clock.setHidden(true)
  await clock.settle()
  expect(beats).toEqual([])
})

test('a hidden page keeps its jobs as long as others are patient, when the storage is away', async () => {
  let away = false
  const storage = hooked(memory(), {
    before: (name) => {
      if (name === 'beat' && away) throw new Error('away')
    },
  })
  const { queue, clock } = await testQueue({ storage })
  queue.on('error', () => undefined)
  const stage = new Stage()
  await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
  await queue.enqueue(task, null, { id: 'a' })
  clock.setHidden(true)
  await clock.settle()
  away = true
  await clock.advance(HIDDEN)
  expect(stage.abortedFor('a')).toBe(null)
  await clock.advance('11s')
  expect(stage.abortedFor('a')).toBe('HOLDFAST_LEASE_LOST')
})
