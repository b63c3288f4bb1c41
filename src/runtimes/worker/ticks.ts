interface Timers {
  setInterval(run: () => void, every: number): unknown
  clearInterval(timer: unknown): void
}

/** Calls `tick` as often as it is told from then on: so many ms apart, or with 0 no more. A worker's timers are never late. */
export function ticking(tick: () => void): (every: unknown) => void {
  const timers = globalThis as unknown as Timers
  let timer: unknown
  return (every) => {
    timers.clearInterval(timer)
    if (typeof every === 'number' && every > 0) timer = timers.setInterval(tick, every)
  }
}
