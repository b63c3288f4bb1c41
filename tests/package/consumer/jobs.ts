// Definitions that both the page or program and its worker import; see main.ts beside it.
import { defineJob } from 'holdfast'

export const square = defineJob({ type: 'square' })
export const hang = defineJob({ type: 'hang', timeout: '100ms', maxRetries: 0 })
