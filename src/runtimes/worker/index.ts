export { exposeHandlers, type ExposeOptions } from './expose.ts'
