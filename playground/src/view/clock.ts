import { signal } from '@preact/signals'

/** Now, for countdowns: moves four times a second while somebody can see it. */
export const now = signal(Date.now())

setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now()
}, 250)

/** Calls `work` now and a second after it has ended, for as long as the page lives. What fails is tried again. */
export function everySecond(work: () => Promise<void>): void {
  const again = (): void => {
    void work()
      .catch(() => undefined)
      .then(() => setTimeout(again, 1000))
  }
  again()
}
