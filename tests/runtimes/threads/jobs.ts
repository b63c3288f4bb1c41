// Definitions and handlers that run in every kind of runner: inline, worker_threads, Web Workers. Nothing of a platform
// is imported here.
import {
  defineJob,
  type BoundHandler,
  FailPermanently,
  type HandlerContext,
  type HoldfastError,
  RetryLater,
  type StandardSchema,
} from '../../../src/index.ts'

const isText: StandardSchema<string> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'string' ? { value: `checked ${value}` } : { issues: [{ message: 'no text' }] },
  },
}

export const echo = defineJob({ type: 'echo' })
export const fails = defineJob({ type: 'fails', maxRetries: 0 })
export const waits = defineJob({ type: 'waits', maxRetries: 0 })
export const checked = defineJob({ type: 'checked', payload: isText, priority: 'high' })
export const follows = defineJob({ type: 'follows', maxRetries: 0 })
/** What a job carries that is no JSON. */
export interface Parcel {
  readonly bytes: ArrayBuffer
  readonly blob: Blob
  readonly map: ReadonlyMap<string, number>
  readonly date: Date
}
export const parcel = defineJob({ type: 'parcel', payloadFormat: 'structured-clone', maxRetries: 0 })
/** Its payloads were texts once. */
export const grown = defineJob({
  type: 'grown',
  version: 2,
  maxRetries: 0,
  migrate: (payload, from) => ({ text: payload, from }),
})
/** As a program of before has it. */
export const grownBefore = defineJob({ type: 'grown', maxRetries: 0 })
/** Ends its thread, or makes it useless; by the name in its payload. */
export const poison = defineJob({ type: 'poison', maxRetries: 1, maxInterruptions: 2 })

/** An error of the user's own, which nobody outside can know. */
class BadDisk extends Error {
  override readonly name = 'BadDisk'
  readonly code = 'EIO'
}

const failures: Record<string, () => unknown> = {
  own: () => {
    throw new BadDisk('The disk is bad', { cause: new TypeError('deep down') })
  },
  text: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- handlers throw what they like
    throw 'only a text'
  },
  later: () => {
    throw new RetryLater({ after: '1h' })
  },
  forever: () => {
    throw new FailPermanently('No such user')
  },
  function: () => () => undefined,
  date: () => new Date(0),
  progress: (context?: HandlerContext) => context?.progress(Number.NaN),
}

/** Says in the log what its signal tells, and ends by it; `heeds: false`: does not end. */
export async function untilAborted({ signal, log }: HandlerContext, heeds = true): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      const reason = signal.reason as Error & { readonly code?: string }
      log('told', { aborted: signal.aborted, code: reason.code ?? null, isError: reason instanceof Error })
      if (heeds) reject(reason)
    })
  })
}

/** A payload of all kinds. */
export function sample(): Parcel {
  return {
    bytes: new Uint8Array([1, 2, 3]).buffer,
    blob: new Blob(['a blob'], { type: 'text/plain' }),
    map: new Map([['a', 1]]),
    date: new Date(86_400_000),
  }
}

async function unpacked(payload: unknown): Promise<unknown> {
  const { bytes, blob, map, date } = payload as Parcel
  return [new Uint8Array(bytes).join(), blob.type, await blob.text(), map.get('a') ?? null, date.getTime()]
}

/** Enqueues what it comes to by itself. */
async function chainLater(onComplete: HandlerContext['onComplete'], queue: HandlerContext['queue']): Promise<void> {
  for (let calls = 0; calls < 5; calls++) await queue.counts()
  try {
    onComplete.enqueue(checked, 'late')
    await queue.enqueue(echo, 'nothing', { id: 'late' })
  } catch (error) {
    await queue.enqueue(echo, (error as HoldfastError).code, { id: 'late' })
  }
}

/** Of which code, and for which field. */
async function refusal(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    const { code, details } = error as Partial<HoldfastError>
    return [code, details?.field]
  }
}

/** What would arrive as a plain object. */
class Point {
  readonly x = 1
}

async function follow(step: unknown, context: HandlerContext): Promise<unknown> {
  const { queue, onComplete, log, output } = context
  const bytes = new Uint8Array([1, 2, 3]).buffer
  switch (step) {
    case 'output':
      output({ bytes, date: new Date(7) }, { transfer: [bytes] })
      output('a copy')
      return bytes.byteLength
    case 'output of a function':
      output(() => undefined)
      return null
    case 'output of what cannot be moved':
      output(bytes, { transfer: [{}] })
      return null
    case 'output with an odd option':
      output(bytes, { move: [bytes] } as never)
      return null
    case 'an instance':
      return queue.enqueue(echo, { at: [new Point()] })
    case 'an instance among many':
      return queue.enqueueMany([
        { job: echo, payload: 1 },
        { job: echo, payload: new Point() },
      ])
    case 'an instance in a Map':
      return queue.enqueue(parcel, { ...sample(), map: new Map([['a', new Point()]]) })
    case 'an instance in events': {
      const made = [
        ...(await queue.emit('insert:points', Object.assign(new Point(), { at: new Date(0), call: () => 1 }))),
        ...(await queue.emit('update:points', {}, { previous: new Point() })),
        ...(await queue.emit('delete:points', { big: 5n })),
      ]
      return made.map(({ status, payload }) => [status, payload])
    }
    case 'a symbol key':
      return queue.enqueue(echo, { [Symbol.iterator]: 1 })
    case 'a function':
      return queue.enqueue(echo, () => undefined)
    case 'an instance in a chain':
      onComplete.enqueue(echo, new Point())
      return null
    case 'odd options':
      return queue.enqueue(echo, null, { delay: (() => 1) as never })
    case 'an odd job':
      onComplete.enqueue({ type: () => 'echo' } as never, null)
      return null
    case 'what is like a job':
      return queue.enqueue({ type: 'echo' } as unknown as typeof echo, null)
    case 'until its deadline moves': {
      const before = context.deadline
      while (context.deadline === before) await new Promise((resolve) => setTimeout(resolve))
      return context.deadline - before
    }
    case 'an odd log':
      log((() => undefined) as never)
      return 'logged'
    case 'enqueue': {
      const job = await queue.enqueue(checked, 'text', { id: 'enqueued' })
      return { status: job.status, counts: (await queue.counts()).running, same: (await queue.get(job.id))?.payload }
    }
    case 'taken out': {
      const { enqueue, get } = queue
      const { id } = await enqueue(checked, 'text')
      return (await get(id))?.payload
    }
    case 'refused':
      return queue.enqueue(checked, 7 as never).catch((error: unknown) => {
        const { code, details } = error as HoldfastError
        return { code, ...details }
      })
    case 'many that are no list':
      return refusal(queue.enqueueMany(null as never))
    case 'many with what is none':
      return refusal(queue.enqueueMany([{ job: echo, payload: 1 }, null as never]))
    case 'many with what none has':
      return refusal(queue.enqueueMany([{ job: echo, payload: 1 }, { job: echo, delay: 1 } as never]))
    case 'many with an odd job':
      return refusal(queue.enqueueMany([{ job: echo, payload: 1 }, { job: { type: 'echo' } } as never]))
    case 'many with an odd payload':
      return refusal(
        queue.enqueueMany([
          { job: echo, payload: 1 },
          { job: echo, payload: { at: new Point() } },
        ]),
      )
    case 'many with odd options':
      return refusal(
        queue.enqueueMany([
          { job: echo, payload: 1 },
          { job: echo, options: { delay: (() => 1) as never } },
        ]),
      )
    case 'many with another version':
      return refusal(
        queue.enqueueMany([
          { job: echo, payload: 1 },
          { job: grownBefore, payload: '' },
        ]),
      )
    case 'of another version':
      return queue.enqueue(grownBefore, 'text')
    case 'chain of another version':
      onComplete.enqueue(grownBefore, 'text')
      return null
    case 'wrong':
      return queue.enqueue(checked, 7 as never)
    case 'many':
      return (
        await queue.enqueueMany([
          { job: 'echo', payload: 1 },
          { job: echo, payload: 2 },
        ])
      ).length
    case 'parcel':
      return (await queue.enqueue(parcel, sample(), { id: 'from inside' })).status
    case 'emit':
      return (await queue.emit('insert:loops', null)).length
    case 'next by enqueue':
      return (await queue.enqueue(echo, null)).disposition
    case 'next by enqueueMany':
      return (await queue.enqueueMany([{ job: echo }])).length
    case 'next by onComplete':
      onComplete.enqueue(echo, null)
      return null
    case 'chain':
      onComplete.enqueue(checked, 'chained', { id: 'chained' })
      return null
    case 'chain too late':
      void chainLater(onComplete, queue)
      return null
    case 'chain and fail':
      onComplete.enqueue(checked, 'chained', { id: 'never' })
      throw new Error('failed')
    default:
      onComplete.enqueue(checked, 7 as never)
      return null
  }
}

export const handlers: readonly BoundHandler[] = [
  echo.handler((payload, { attempt, fence, state, job, deadline, progress, log }) => {
    progress({ half: true })
    log('half way', { at: 1 })
    return { payload, attempt, fence, state, id: job.id, left: Math.sign(deadline - Date.now()) }
  }),
  fails.handler((how, context) => (failures[String(how)] as (context: HandlerContext) => unknown)(context)),
  waits.handler((_, context) => untilAborted(context)),
  checked.handler((payload) => payload),
  follows.handler((step, context) => follow(step, context)),
  parcel.handler((payload) => unpacked(payload)),
  grown.handler((payload, { job }) => ({ payload, shown: job.payload })),
]
