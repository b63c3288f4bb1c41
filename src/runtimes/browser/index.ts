export { webWorkers, type WebWorkersOptions } from './web-workers.ts'
