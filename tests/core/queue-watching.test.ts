import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, type Job } from '../../src/index.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { hooked, listenersOf, outcome, Stage } from './doubles.ts'

const task = defineJob({ type: 'task' })

async function staged() {
  const stage = new Stage()
  const { queue, clock } = await testQueue({ storage: memory() })
  await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  return { stage, queue, clock }
}

/** A storage that counts who listens to it, and can be away. */
function counting() {
  const inner = memory()
  const state = { storage: inner, subscriptions: 0, away: false }
  const hooks = hooked(inner, {
    before: (name) => {
      if (state.away && name !== 'close') throw new Error('away')
    },
  })
  state.storage = new Proxy(hooks, {
    get(target, key) {
      if (key !== 'notifier') return Reflect.get(target, key) as unknown
      return {
        subscribe: (listener: () => void) => {
          state.subscriptions += 1
          const end = inner.notifier?.subscribe(listener)
          return () => {
            state.subscriptions -= 1
            end?.()
          }
        },
      }
    },
  })
  return state
}

describe('idle', () => {
  test('resolves at once where nothing is to be done', async () => {
    const { queue } = await testQueue()
    await expect(queue.idle()).resolves.toBeUndefined()
  })

  test('waits until nothing is due and nothing runs', async () => {
    const { stage, queue, clock } = await staged()
    const waiting = outcome(queue.idle())
    await clock.advance('10s')
    expect(waiting.now).toBe('waiting')
    stage.end('a')
    await clock.settle()
    expect(waiting.now).toBe(undefined)
  })

  test('does not wait for jobs whose time has not come, unless asked to', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null, { id: 'a', delay: '1h' })
    await expect(queue.idle()).resolves.toBeUndefined()
    const all = outcome(queue.idle({ includeScheduled: true }))
    await clock.advance('1m')
    expect(all.now).toBe('waiting')
    await queue.cancel('a')
    await clock.advance('1s')
    expect(all.now).toBe(undefined)
  })

  test('rejects with the reason of its signal', async () => {
    const { queue, clock } = await staged()
    const controller = new AbortController()
    const waiting = outcome(queue.idle({ signal: controller.signal }))
    await clock.settle()
    controller.abort(new Error('enough'))
    await clock.settle()
    expect(waiting.now).toBe('Error: enough')
  })

  test('rejects when the queue is closed, at once: it never hangs', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null)
    const waiting = outcome(queue.idle())
    await clock.settle()
    await queue.close()
    await clock.settle()
    expect(waiting.now).toBe('HOLDFAST_QUEUE_CLOSED')
  })

  test('resolves while the queue is closing, when its last handlers come to their end', async () => {
    const { stage, queue, clock } = await staged()
    const waiting = outcome(queue.idle())
    await clock.settle()
    const closing = outcome(queue.close())
    await clock.settle()
    expect(waiting.now).toBe('waiting')
    stage.end('a')
    await clock.settle()
    expect([waiting.now, closing.now]).toEqual([undefined, undefined])
  })

  test('that fails leaves neither timer nor subscription nor listener behind', async () => {
    const counted = counting()
    const { queue } = await testQueue({ storage: counted.storage })
    counted.away = true
    const controller = new AbortController()
    const listening = listenersOf(controller.signal)
    await expect(queue.idle({ signal: controller.signal })).rejects.toThrow('away')
    expect([counted.subscriptions, listening()]).toEqual([0, []])
  })
})

describe('events', () => {
  test('merge the changes of all handles on the storage', async () => {
    const log = new SharedLog()
    const { queue, clock } = await testQueue({ storage: sharedStorage(log) })
    const controller = new AbortController()
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of queue.events({ signal: controller.signal })) {
        seen.push(event.name === 'gap' ? 'gap' : `${event.name} ${event.id}`)
      }
    })()
    const elsewhere = await testQueue({ storage: sharedStorage(log), clock, handlers: [task.handler(() => null)] })
    await elsewhere.queue.enqueue(task, null, { id: 'a' })
    await elsewhere.drain()
    await clock.settle()
    expect(seen.filter((name) => name !== 'gap')).toEqual(['enqueued a', 'started a', 'completed a'])
    controller.abort()
    await expect(reading).resolves.toBeUndefined()
  })

  test('an iteration that is left ends its subscription', async () => {
    const { queue } = await testQueue()
    const events = queue.events()
    await queue.enqueue(task, null, { id: 'a' })
    for await (const event of events) {
      expect(event).toEqual({ name: 'enqueued', id: 'a', type: 'task' })
      break
    }
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  test('leaving an iteration that waits for the next event ends it', async () => {
    const { queue, clock } = await testQueue()
    const events = queue.events()
    const next = outcome(events.next())
    const left = outcome(Promise.resolve(events.return?.()))
    await clock.settle()
    expect([next.now, left.now]).not.toContain('waiting')
  })

  test('the iteration ends when the queue is closed', async () => {
    const { queue, clock } = await testQueue()
    const next = outcome(queue.events().next())
    await queue.close()
    await clock.settle()
    expect(next.now).toEqual({ done: true, value: undefined })
  })

  test.each(['before', 'after'])(
    'a signal that aborts %s the call ends them, and leaves nothing behind',
    async (when) => {
      const counted = counting()
      const { queue } = await testQueue({ storage: counted.storage })
      const controller = new AbortController()
      const listening = listenersOf(controller.signal)
      if (when === 'before') controller.abort()
      const events = queue.events({ signal: controller.signal })
      if (when === 'after') controller.abort()
      expect(await events.next()).toEqual({ done: true, value: undefined })
      await queue.enqueue(task, null)
      expect(await events.next()).toEqual({ done: true, value: undefined })
      expect([counted.subscriptions, listening()]).toEqual([0, []])
    },
  )

  test('one signal for many that wait gets one listener, which is taken back by the last', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null, { id: 'a' })
    const controller = new AbortController()
    const { signal } = controller
    const listening = listenersOf(signal)
    const events = Array.from({ length: 5 }, () => queue.events({ signal }))
    const waiting = Array.from({ length: 5 }, () => [
      outcome(queue.idle({ signal })),
      outcome(queue.result('a', { signal })),
    ]).flat()
    await clock.settle()
    expect(listening()).toHaveLength(1)
    await events[0]?.return?.()
    expect(listening()).toHaveLength(1)
    controller.abort('enough')
    await clock.settle()
    expect(waiting.map(({ now }) => now)).toEqual(waiting.map(() => 'enough'))
    expect(await Promise.all(events.map((each) => each.next()))).toEqual(
      events.map(() => ({ done: true, value: undefined })),
    )
    expect(listening()).toEqual([])
  })

  test('a function that listens twice hears twice, and is removed once at a time', async () => {
    const { queue } = await testQueue()
    const heard: string[] = []
    const listener = ({ job }: { readonly job: Job }): void => void heard.push(job.id)
    const [first, second] = [queue.on('enqueued', listener), queue.on('enqueued', listener)]
    await queue.enqueue(task, null, { id: 'a' })
    first()
    first()
    await queue.enqueue(task, null, { id: 'b' })
    second()
    await queue.enqueue(task, null, { id: 'c' })
    expect(heard).toEqual(['a', 'a', 'b'])
  })

  test('a listener that was removed hears nothing', async () => {
    const { queue } = await testQueue()
    const heard: string[] = []
    const remove = queue.on('enqueued', ({ job }) => heard.push(job.id))
    await queue.enqueue(task, null, { id: 'a' })
    remove()
    await queue.enqueue(task, null, { id: 'b' })
    expect(heard).toEqual(['a'])
  })
})
