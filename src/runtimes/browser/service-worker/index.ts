export { type AskedBy, type BackgroundSyncOptions, registerBackgroundSync } from './background-sync.ts'
export { drain, type Drained, type DrainOptions, onSync } from './drain.ts'
export type { PagePlatform, WorkerMessageEvent, WorkerRegistration } from './platform.ts'
export { onMessage, SYNC_TAG } from './wake-message.ts'
