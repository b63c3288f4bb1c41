import { defineJob, fixed } from 'holdfast'

export const noop = defineJob({ type: 'noop' })
export const hash = defineJob({ type: 'hash' })
/** Loops for ever the first time. */
export const hang = defineJob({ type: 'hang', timeout: 500, backoff: fixed(0) })
