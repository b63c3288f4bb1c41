import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { defineJob, FailPermanently, type JobResult } from '../../src/index.ts'
import { SharedLog, sharedStorage, testQueue } from '../../src/testing/index.ts'
import { hooked, listenersOf, outcome, problemOf, Stage } from './doubles.ts'

const task = defineJob({ type: 'task' })

async function staged(storage = memory()) {
  const stage = new Stage()
  const { queue, clock } = await testQueue({ storage })
  await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
  await queue.enqueue(task, null, { id: 'a' })
  await clock.settle()
  return { stage, queue, clock }
}

const COMPLETED: JobResult = { status: 'completed', result: { n: 1 } }

describe('result', () => {
  test('waits for the end of a job', async () => {
    const { stage, queue, clock } = await staged()
    const waiting = outcome(queue.result('a'))
    await clock.advance('1m')
    expect(waiting.now).toBe('waiting')
    stage.end('a', { n: 1 })
    await clock.settle()
    expect(waiting.now).toEqual(COMPLETED)
  })

  test('of a job that has ended comes at once', async () => {
    const { stage, queue, clock } = await staged()
    stage.end('a', { n: 1 })
    await clock.settle()
    expect(await queue.result('a')).toEqual(COMPLETED)
  })

  test('of a job that failed tells the error', async () => {
    const { stage, queue, clock } = await staged()
    const waiting = outcome(queue.result('a'))
    stage.fail('a', new FailPermanently('no such user'))
    await clock.settle()
    expect(waiting.now).toMatchObject({ status: 'failed', error: { code: 'HOLDFAST_FAILED_PERMANENTLY' } })
  })

  test('of a job that was cancelled tells the reason', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null, { id: 'a' })
    const waiting = outcome(queue.result('a'))
    await queue.cancel('a', 'user left')
    await clock.settle()
    expect(waiting.now).toEqual({ status: 'cancelled', reason: 'user left' })
  })

  test('goes on waiting through retries', async () => {
    const { stage, queue, clock } = await staged()
    const waiting = outcome(queue.result('a'))
    stage.fail('a', new Error('boom'))
    await clock.advance('5s')
    expect(waiting.now).toBe('waiting')
    stage.end('a', { n: 1 })
    await clock.settle()
    expect(waiting.now).toEqual(COMPLETED)
  })

  test('of a job nobody knows is `unknown`', async () => {
    const { queue } = await testQueue()
    expect(await queue.result('nobody')).toEqual({ status: 'unknown' })
  })

  test('of a job that is removed while it is waited for becomes `unknown`', async () => {
    const storage = memory()
    const { queue, clock } = await testQueue({ storage })
    await queue.enqueue(task, null, { id: 'a' })
    const waiting = outcome(queue.result('a'))
    await clock.settle()
    await storage.amend({ batch: [{ kind: 'remove', id: 'a' }], now: clock.now() })
    await clock.settle()
    expect(waiting.now).toEqual({ status: 'unknown' })
  })

  test('is told to all who wait', async () => {
    const { stage, queue, clock } = await staged()
    const waiting = [outcome(queue.result('a')), outcome(queue.result('a'))]
    stage.end('a', { n: 1 })
    await clock.settle()
    expect(waiting.map(({ now }) => now)).toEqual([COMPLETED, COMPLETED])
  })

  test('comes to a queue object that neither enqueued nor ran the job', async () => {
    const log = new SharedLog()
    const { stage, clock } = await staged(sharedStorage(log))
    const elsewhere = await testQueue({ storage: sharedStorage(log), clock })
    const waiting = outcome(elsewhere.queue.result('a'))
    await clock.settle()
    stage.end('a', { n: 1 })
    await clock.settle()
    expect(waiting.now).toEqual(COMPLETED)
  })

  test('comes within a poll where no hint does', async () => {
    const log = new SharedLog()
    const { stage, clock } = await staged(sharedStorage(log))
    const elsewhere = await testQueue({ storage: hooked(sharedStorage(log), { silent: true }), clock })
    const waiting = outcome(elsewhere.queue.result('a'))
    await clock.settle()
    stage.end('a', { n: 1 })
    await clock.advance('1s')
    expect(waiting.now).toEqual(COMPLETED)
  })

  test('a storage that is away for a while only makes it later', async () => {
    let away = false
    const storage = hooked(memory(), {
      before: (name) => {
        if (name === 'get' && away) throw new Error('away')
      },
    })
    const { stage, queue, clock } = await staged(storage)
    const waiting = outcome(queue.result('a'))
    await clock.settle()
    away = true
    stage.end('a', { n: 1 })
    await clock.advance('5s')
    expect(waiting.now).toBe('waiting')
    away = false
    await clock.advance('1s')
    expect(waiting.now).toEqual(COMPLETED)
  })

  test('rejects with the reason of its signal, at once', async () => {
    const { queue, clock } = await staged()
    const controller = new AbortController()
    const waiting = outcome(queue.result('a', { signal: controller.signal }))
    await clock.settle()
    controller.abort(new Error('enough'))
    await clock.settle()
    expect(waiting.now).toBe('Error: enough')
    const early = queue.result('a', { signal: controller.signal })
    await expect(early).rejects.toThrow('enough')
  })

  test('a signal of one does not disturb another who waits for the same job', async () => {
    const { stage, queue, clock } = await staged()
    const controller = new AbortController()
    const [first, second] = [outcome(queue.result('a', { signal: controller.signal })), outcome(queue.result('a'))]
    await clock.settle()
    controller.abort(new Error('enough'))
    stage.end('a', { n: 1 })
    await clock.settle()
    expect([first.now, second.now]).toEqual(['Error: enough', COMPLETED])
  })

  test('a signal that aborts while the job is looked up is heard', async () => {
    const { queue, clock } = await staged()
    const controller = new AbortController()
    const waiting = outcome(queue.result('a', { signal: controller.signal }))
    controller.abort(new Error('enough'))
    await clock.settle()
    expect(waiting.now).toBe('Error: enough')
  })

  test('rejects when the queue is closed: it never hangs', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null, { id: 'a' })
    const waiting = outcome(queue.result('a'))
    await clock.settle()
    await queue.close()
    await clock.settle()
    expect(waiting.now).toBe('HOLDFAST_QUEUE_CLOSED')
  })

  test('rejects when somebody else closes the storage: it never hangs', async () => {
    const storage = memory()
    const { queue, clock } = await testQueue({ storage })
    await queue.enqueue(task, null, { id: 'a' })
    const waiting = outcome(queue.result('a'))
    await clock.settle()
    await storage.close()
    await clock.advance('1s')
    expect(waiting.now).toBe('HOLDFAST_STORAGE_CLOSED')
  })

  test('that is rejected by a close listens to its signal no longer', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null, { id: 'a' })
    const controller = new AbortController()
    const { signal } = controller
    const listening = listenersOf(signal)
    const waiting = outcome(queue.result('a', { signal }))
    await clock.settle()
    await queue.close()
    await clock.settle()
    expect([waiting.now, listening()]).toEqual(['HOLDFAST_QUEUE_CLOSED', []])
  })

  test('rejects when the queue is closed while the job is looked up', async () => {
    const { queue, clock } = await testQueue()
    await queue.enqueue(task, null, { id: 'a' })
    const waiting = outcome(queue.result('a'))
    await queue.close()
    await clock.advance('1m')
    expect(waiting.now).not.toBe('waiting')
  })

  test.each<[string, object, string]>([
    ['', {}, 'id'],
    ['a', { timeout: 5 }, 'result.timeout'],
  ])('refuses result(%j, %j), naming the field', async (id, options, field) => {
    const { queue } = await testQueue()
    expect(await problemOf(() => queue.result(id, options))).toEqual({
      code: 'HOLDFAST_INVALID_OPTION',
      field,
    })
  })
})
