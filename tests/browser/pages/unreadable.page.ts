import { defineJob, HoldfastError, type JobQueue, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

const large = defineJob({ type: 'large' })
const small = defineJob({ type: 'small' })
const photo = defineJob({ type: 'photo', payloadFormat: 'structured-clone' })

function opened(name: string, snapshotAfter = 4000): Promise<JobQueue> {
  return openQueue({ storage: indexedDb({ name, snapshotAfter }), jobs: [large, small, photo] })
}

const codeOf = (error: unknown): string => (HoldfastError.is(error) ? error.code : String(error))

/** Bytes that no compression makes fewer: values above 64 KiB are kept in files of their own. */
function noise(length: number): string {
  let text = ''
  while (text.length < length) text += Math.random().toString(36).slice(2)
  return text.slice(0, length)
}

/** A job with a large payload and two without; and a thousand jobs that are in a snapshot. */
export async function fill(): Promise<void> {
  const few = await opened('few')
  await few.enqueue(large, noise(200_000))
  await few.enqueue(small, 1)
  await few.enqueue(small, 2)
  await few.close()
  const many = await opened('many', 50)
  const thousand = Array.from({ length: 1000 }, () => ({ job: small, options: { jobKey: noise(90) } }))
  for (let n = 0; n < 3; n++) await many.enqueueMany(thousand.map((item) => ({ ...item, payload: n })))
  await many.close()
}

/** Runs what can be run. */
export async function run(): Promise<unknown> {
  await using queue = await opened('few')
  const ran: string[] = []
  const errors: string[] = []
  queue.on('error', ({ error }) => errors.push(codeOf(error)))
  const handlers = [large, small].map((job) => job.handler(() => void ran.push(job.type)))
  const executor = queue.createExecutor({ handlers })
  await executor.processUntilIdle()
  const { jobs } = await queue.list().page({ size: 9 })
  const failed = jobs.flatMap(({ status, error }) => (status === 'failed' ? [error?.code] : []))
  return { ran, errors, failed, state: queue.health().state, damaged: queue.health().damaged }
}

/** Whether a queue can be used whose snapshot cannot be read. */
export async function goOn(): Promise<unknown> {
  await using queue = await opened('many', 50)
  const { id } = await queue.enqueue(small, 'new')
  return { isDamaged: queue.health().damaged > 0, isThere: (await queue.get(id))?.status }
}

export function offer(): void {
  const input = document.createElement('input')
  input.type = 'file'
  document.body.append(input)
}

const picked = (): File => document.querySelector('input')?.files?.[0] as File

/** The size is asked for, since a browser looks at the file only then, and holds it to that later. */
export function look(): number {
  return picked().size
}

/** The file among others that can be read, all in one flush. Answers what was said to each, and what is stored. */
export async function enqueuePicked(): Promise<unknown> {
  await using queue = await opened('picked')
  await queue.enqueue(small, 'first')
  const said = await Promise.allSettled([
    queue.enqueue(small, 'before'),
    queue.enqueue(photo, { file: new Blob(['good']) }),
    queue.enqueue(photo, { file: picked() }),
    queue.enqueue(small, 'after'),
  ])
  const counts = await queue.counts()
  return {
    said: said.map((one) => (one.status === 'fulfilled' ? 'ok' : codeOf(one.reason))),
    pending: counts.pending,
    state: queue.health().state,
  }
}
