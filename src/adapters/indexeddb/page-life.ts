import type { Events, Platform } from './platform.ts'

/**
 * Calls `left` when the page may stand still from now on: it is frozen, or left for another and perhaps kept in the
 * back/forward cache. Calls `back` when it goes on after that. Each is called once for each time, however many events
 * tell of it. A context without such events (a worker, a service worker) is never told. Returns what ends it.
 *
 * Not `beforeunload`: it comes also when the user stays, and keeps some browsers from caching the page.
 */
export function watchPage(platform: Platform, left: () => void, back: () => void): () => void {
  const { document } = platform
  let away = false
  const leave = (): void => {
    if (away) return
    away = true
    left()
  }
  const comeBack = (): void => {
    if (!away) return
    away = false
    back()
  }
  const listeners: readonly (readonly [target: Events | undefined, type: string, listener: () => void])[] = [
    [platform, 'pagehide', leave],
    [document, 'freeze', leave],
    [platform, 'pageshow', comeBack],
    [document, 'resume', comeBack],
    // Browsers that freeze pages without a word to the document show them again with this one.
    [document, 'visibilitychange', () => document?.visibilityState === 'visible' && comeBack()],
  ]
  for (const [target, type, listener] of listeners) target?.addEventListener?.(type, listener)
  return () => {
    for (const [target, type, listener] of listeners) target?.removeEventListener?.(type, listener)
  }
}
