export { stopOnSignals, type StopOnSignalsOptions } from './stop-on-signals.ts'
