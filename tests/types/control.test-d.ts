import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineJob, type Job, type JobQueue, type PauseScope, type Session } from '../../src/index.ts'

declare const queue: JobQueue

test('administration takes ids in a list and one options object', () => {
  expectTypeOf(queue.remove(['a'])).resolves.toEqualTypeOf<readonly Job[]>()
  expectTypeOf(queue.remove({ jobKey: 'k' })).resolves.toEqualTypeOf<readonly Job[]>()
  expectTypeOf(queue.sessions()).resolves.toEqualTypeOf<readonly Session[]>()
  void queue.reschedule(['a'], { runAt: new Date(), priority: 'high', maxRetries: 1 })
  void queue.complete(['a'], { result: 1 })
  // @ts-expect-error -- a list, so that one id is never taken for its letters
  void queue.remove('a')
  // @ts-expect-error -- an id and a key name different things
  void queue.remove({ id: 'a' })
  // @ts-expect-error -- a reason is what the dead letter will show
  void queue.fail(['a'])
  // @ts-expect-error -- a payload cannot be changed afterwards
  void queue.reschedule(['a'], { payload: 1 })
  // @ts-expect-error -- result stands in the options
  void queue.complete(['a'], 'done')
})

test('a pause names one scope', () => {
  expectTypeOf(queue.pauses()).resolves.toEqualTypeOf<readonly PauseScope[]>()
  expectTypeOf(queue.pause({ type: 'a' })).resolves.toEqualTypeOf<boolean>()
  // @ts-expect-error -- resume({ all: true }) is the other direction, not all: false
  void queue.pause({ all: false })
  // @ts-expect-error -- whether all or nothing was meant nobody could tell
  void queue.pause({})
  // @ts-expect-error -- nor here
  void queue.pause()
})

test('a definition with a version says how older payloads are brought up to what its schema takes', () => {
  const payload = z.object({ to: z.array(z.string()), when: z.string().transform((text) => new Date(text)) })
  const job = defineJob({
    type: 'mail',
    version: 2,
    payload,
    migrate: (old, from) => {
      expectTypeOf(old).toEqualTypeOf<unknown>()
      expectTypeOf(from).toEqualTypeOf<number>()
      return { to: [], when: '2026-01-01T00:00:00Z' }
    },
  })
  job.handler(({ when }) => {
    expectTypeOf(when).toEqualTypeOf<Date>()
  })
  // @ts-expect-error -- what the schema takes, not what it puts out
  defineJob({ type: 'mail', version: 2, payload, migrate: () => ({ to: [], when: new Date() }) })
  // @ts-expect-error -- one of the two words
  defineJob({ type: 'mail', serial: true })
})

test('a limit key is a text, made of the payload that is stored', () => {
  const payload = z.object({ tenant: z.string().transform(Number) })
  defineJob({ type: 'mail', payload, limit: { concurrency: 2, key: ({ tenant }) => tenant.toFixed() } })
  // @ts-expect-error -- a number is none
  defineJob({ type: 'mail', payload, limit: { concurrency: 2, key: ({ tenant }) => tenant } })
})
