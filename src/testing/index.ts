export * from './conformance/index.ts'
export { ManualClock, type ManualClockOptions } from './manual-clock.ts'
export { type Fault, SharedLog, sharedStorage } from './shared-log.ts'
export { type TestQueue, type TestQueueOptions, testQueue } from './test-queue.ts'
