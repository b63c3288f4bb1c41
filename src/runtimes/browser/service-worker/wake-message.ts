import { isObject } from '../../../core/storage/plain.ts'
import { drain, type DrainOptions } from './drain.ts'
import type { WorkerMessageEvent } from './platform.ts'

/** The tag under which a sync is registered unless the page says otherwise. */
export const SYNC_TAG = 'holdfast'

/** What a page posts to its service worker so that it drains. */
export function wakeMessage(tag: string): unknown {
  return { holdfast: 'drain', tag }
}

/**
 * For the event `message`: drains when the message is one by which a page of `registerBackgroundSync` asks for it.
 * Answers whether it was.
 *
 * @param options.tag that of the page. Default `SYNC_TAG`
 */
export function onMessage(event: WorkerMessageEvent, options: DrainOptions & { readonly tag?: string }): boolean {
  const { tag = SYNC_TAG, ...rest } = options
  const { data } = event
  if (!isObject(data) || data['holdfast'] !== 'drain' || data['tag'] !== tag) return false
  event.waitUntil(drain(rest))
  return true
}
