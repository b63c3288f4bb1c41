import type { PageWatcher } from './log-options.ts'
import { watchPage } from './page-life.ts'
import type { Platform } from './platform.ts'

/**
 * A page that may stand still gives its connection away: an open one keeps other tabs from upgrading, and some browsers
 * from keeping the page in the back/forward cache. One that is shown again looks whether its connection still lives:
 * WebKit ends those of hidden pages without a word.
 */
export function watchStorageOfPage(platform: Platform, page: PageWatcher): () => void {
  const { document } = platform
  const stop = watchPage(
    platform,
    () => page.left(),
    () => page.back(),
  )
  const shown = (): void => {
    if (document?.visibilityState === 'visible') page.back()
  }
  document?.addEventListener?.('visibilitychange', shown)
  return () => {
    stop()
    document?.removeEventListener?.('visibilitychange', shown)
  }
}
