import { signal } from '@preact/signals'

/** Now, for countdowns: moves four times a second while somebody can see it. */
export const now = signal(Date.now())

setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now()
}, 250)

/** Calls `work` now and a second after it has ended. What fails is tried again. Returns what ends it. */
export function everySecond(work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  const again = (): void => {
    void work()
      .catch(() => undefined)
      .then(() => {
        if (!isOver) timer = setTimeout(again, 1000)
      })
  }
  again()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
