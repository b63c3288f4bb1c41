import { defineJob, exponential } from 'holdfast'
import { z } from 'zod/mini'

/** Short enough to watch: after so long without a sign of life another tab takes a job over. */
const lease = { leaseDuration: '6s', maxInterruptions: 50 } as const

/** SHA-256 and gzip of a dropped file. The file itself is the payload. */
export const fingerprint = defineJob({
  type: 'fingerprint',
  payload: z.object({ name: z.string(), file: z.instanceof(Blob) }),
  payloadFormat: 'structured-clone',
  ...lease,
})

/** A small copy of a dropped picture. */
export const thumbnail = defineJob({
  type: 'thumbnail',
  payload: z.object({ name: z.string(), file: z.instanceof(Blob) }),
  payloadFormat: 'structured-clone',
  maxRetries: 0,
  ...lease,
})

/** A delivery to an endpoint that fails on cue. It waits while the page is offline. */
export const webhook = defineJob({
  type: 'webhook',
  payload: z.object({ order: z.number() }),
  requires: 'online',
  maxRetries: 3,
  backoff: exponential({ base: '1s', factor: 2, jitter: 0.1 }),
  timeout: '10s',
  ...lease,
})

/** Counts primes: nothing but work for the processor, and progress to watch. */
export const primes = defineJob({ type: 'primes', payload: z.object({ below: z.int().check(z.positive()) }), ...lease })

/** Takes its time, so that there is something to interrupt. */
export const errand = defineJob({
  type: 'errand',
  payload: z.object({ seconds: z.number().check(z.positive()) }),
  ...lease,
})

/** As little as a job can be, for ten thousand of them. */
export const tiny = defineJob({ type: 'tiny', ...lease })

export const jobs = [fingerprint, thumbnail, webhook, primes, errand, tiny] as const
