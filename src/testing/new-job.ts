import type { NewJob } from '../core/storage/contract.ts'
import { NOW } from './conformance/moments.ts'

const DEFAULTS: Omit<NewJob, 'id' | 'payload' | 'requires'> = {
  type: 'task',
  payloadVersion: 1,
  priority: 1,
  maxRetries: 3,
  maxInterruptions: 3,
  createdAt: NOW,
  runAt: NOW,
  delay: null,
  expireAfter: null,
  timeout: 300_000,
  leaseDuration: 30_000,
  jobKey: null,
  jobKeyMode: 'replace',
  queueName: null,
  serial: 'relaxed',
  limitKey: null,
  backoff: null,
  depth: 0,
}

/** A job as the core hands it to a storage: of the type `task`, due at once whatever the clock says. */
export function newJob(overrides: Partial<NewJob> & Pick<NewJob, 'id'>): NewJob {
  return { ...DEFAULTS, payload: { for: overrides.id }, requires: [], ...overrides }
}
