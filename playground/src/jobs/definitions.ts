import { defineJob, exponential, fixed } from 'holdfast'
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

/** It waits while the page is offline, and is tried again soon. */
const delivery = {
  requires: 'online',
  maxRetries: 3,
  backoff: exponential({ base: '1s', factor: 2, jitter: 0.1 }),
  timeout: '10s',
  ...lease,
} as const

/** A delivery to an endpoint that fails on cue. */
export const webhook = defineJob({
  type: 'webhook',
  payload: z.object({ order: z.number() }),
  ...delivery,
})

/** Counts primes: nothing but work for the processor, and progress to watch. Runs in a Web Worker. */
export const primes = defineJob({ type: 'primes', payload: z.object({ below: z.int().check(z.positive()) }), ...lease })

/** `for (;;)`, in a Web Worker. Nothing but its timeout ends it. */
export const endlessLoop = defineJob({
  type: 'endless_loop',
  timeout: '1s',
  maxRetries: 1,
  backoff: fixed('1s'),
  ...lease,
})

/** Takes its time, so that there is something to interrupt. */
export const errand = defineJob({
  type: 'errand',
  payload: z.object({ seconds: z.number().check(z.positive()) }),
  ...lease,
})

/** A mail, handed to the same endpoint as the webhooks. The panel of AQL asks for it. */
export const sendEmail = defineJob({
  type: 'send_email',
  payload: z.object({
    to: z.optional(z.string()),
    user_id: z.optional(z.union([z.string(), z.number()])),
    template: z.optional(z.string()),
  }),
  ...delivery,
})

/** Draws a picture of that number and makes it small. The panel of AQL asks for it. */
export const resize = defineJob({ type: 'resize', payload: z.object({ id: z.number() }), ...lease })

/** As little as a job can be, for ten thousand of them. */
export const tiny = defineJob({ type: 'tiny', ...lease })

export const jobs = [fingerprint, thumbnail, webhook, primes, endlessLoop, errand, sendEmail, resize, tiny] as const
