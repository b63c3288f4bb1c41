import { defineJob, fixed } from 'holdfast'

/** Only the delays are shortened: how often it may be interrupted is the default. */
export const deadly = defineJob({ type: 'deadly', priority: 'high', backoff: fixed('50ms') })

export const harmless = defineJob({ type: 'harmless' })
