/** Whether a value is to be waited for. A promise of another realm (a vm, an iframe) or library is no `Promise` here. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (Object(value) as { readonly then?: unknown }).then === 'function'
}

/** All of them: without waiting where none is to be waited for. */
export function allOf<Value>(
  values: readonly (Value | Promise<Value>)[],
): readonly Value[] | Promise<readonly Value[]> {
  return values.some(isThenable) ? Promise.all(values) : (values as readonly Value[])
}

/** Calls what is the user's. That it throws, or answers by a promise that rejects, is reported and disturbs nobody. */
export function guarded(call: () => unknown, report: (error: unknown) => void): void {
  try {
    const returned = call()
    if (isThenable(returned)) returned.then(undefined, report)
  } catch (error) {
    report(error)
  }
}
