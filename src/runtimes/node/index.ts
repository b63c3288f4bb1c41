export { stopOnSignals, type StopOnSignalsOptions } from './stop-on-signals.ts'
export { workerThreads, type WorkerThreadsOptions } from './worker-threads.ts'
