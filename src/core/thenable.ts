/** Whether a value is to be waited for. A promise of another realm (a vm, an iframe) or library is no `Promise` here. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
