import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { serviceErrors } from '../../src/core/service-errors.ts'
import { defineJob, HoldfastError, type Logger } from '../../src/index.ts'
import { testQueue } from '../../src/testing/index.ts'
import { failing, hooked, Stage } from './doubles.ts'

const task = defineJob({ type: 'task' })

/** What the logger was told, without what it was told about. */
function listening(): { logger: Logger; lines: unknown[] } {
  const lines: unknown[] = []
  const line =
    (level: string) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      void lines.push([level, message, fields?.['errors']])
  return { logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }, lines }
}

describe('a service whose tries fail one after the other', () => {
  test('is told the logger once, and once more when it works again; listeners hear of each', async () => {
    const { logger, lines } = listening()
    const storage = hooked(memory(), { before: failing('claim', 50) })
    const { queue, clock } = await testQueue({ storage, logger })
    const told: string[] = []
    queue.on('error', ({ service }) => told.push(service))
    const stage = new Stage()
    await queue.createExecutor({ handlers: [task.handler(stage.run)] }).start()
    await queue.enqueue(task, null, { id: 'a' })
    await clock.advance('5m')
    expect(stage.running).toEqual(['a'])
    expect(told).toEqual(Array.from({ length: 50 }, () => 'claim'))
    expect(lines).toEqual([
      ['error', 'The claim service met an error', undefined],
      ['info', 'The claim service works again', 50],
    ])
  })

  test('is reported once where nobody listens', async () => {
    const storage = hooked(memory(), { before: failing('beat', Infinity) })
    const { queue, clock } = await testQueue({ storage })
    await queue.createExecutor({ handlers: [task.handler(() => null)] }).start()
    await clock.advance('1h')
    expect(clock.reported).toHaveLength(1)
  })

  test('is told of again when it fails after it had worked', async () => {
    const { logger, lines } = listening()
    let away = true
    const before = (name: string): void => {
      if (name === 'beat' && away) throw new Error('away')
    }
    const { queue, clock } = await testQueue({ storage: hooked(memory(), { before }), logger })
    await queue.createExecutor({ handlers: [task.handler(() => null)] }).start()
    for (const isAway of [true, false, true]) {
      away = isAway
      await clock.advance('1m')
    }
    expect(lines.map((line) => (line as unknown[])[0])).toEqual(['error', 'info', 'error'])
  })

  test('is told of each kind of error: by its code, without one by its name', () => {
    const news: unknown[] = []
    const ends: number[] = []
    const { once, again, over } = serviceErrors(
      (error, isNews) => isNews && news.push(error),
      (errors) => ends.push(errors),
    )
    const [full, fullToo] = ['one', 'two'].map((message) => new HoldfastError('HOLDFAST_STORAGE_FULL', message))
    // As a driver that says in each message when it was.
    const [refused, refusedToo] = ['at 12:01', 'at 12:02'].map((message) => new Error(message))
    const broken = new TypeError('at 12:01')
    over()
    for (const error of [full, refused, fullToo, broken, refusedToo, 'text', full]) again(error)
    expect(news).toEqual([full, refused, broken])
    over()
    over()
    expect(ends).toEqual([7])
    again(fullToo)
    once(fullToo)
    expect(news.slice(3)).toEqual([fullToo, fullToo])
  })
})
