export { cases } from './cases.ts'
export type { ConformanceCase, ConformanceRun, IsolatedStorage, Mode, Need, StorageUnderTest } from './kit.ts'
export { conformance } from './runs.ts'
