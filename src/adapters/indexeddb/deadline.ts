/** The longest that a timer can wait, ms: beyond that it fires at once. */
const LONGEST = 2 ** 31 - 1

/** The work's own end, or after `ms` the error that `late` makes. The work itself goes on, and its end is ignored. */
export function within<Value>(work: Promise<Value>, ms: number, late: () => Error): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.min(ms, LONGEST))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
