import { isObject } from './storage/plain.ts'

/** Whether a value is to be waited for. A promise of another realm (a vm, an iframe) or library is no `Promise` here. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value['then'] === 'function'
}
