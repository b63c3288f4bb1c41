import { defineJob, openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'

/** 300 bytes as JSON. */
export const PAYLOAD = { data: 'x'.repeat(289) }

export const work = defineJob({ type: 'work' })

export const limited = defineJob({ type: 'limited', limit: { rate: 100, per: '1s' } })

export function openMemoryQueue() {
  return openQueue({ storage: memory(), jobs: [work] })
}

/** Enqueues in batches of 1,000, as a program with so much work would. */
export async function fill(queue, count, optionsOf = () => ({}), job = work) {
  for (let start = 0; start < count; start += 1000) {
    const items = Array.from({ length: Math.min(1000, count - start) }, (_, at) => ({
      job,
      payload: PAYLOAD,
      options: optionsOf(start + at),
    }))
    await queue.enqueueMany(items)
  }
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export const whole = (value) => Math.round(value).toLocaleString('en')
export const report = (rows) => process.stdout.write(JSON.stringify(rows))
