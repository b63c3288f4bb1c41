import type { IDBPTransaction } from 'idb'
import type { Append, Need, PayloadChunk } from '../../core/storage/log.ts'
import type { Attempt } from './attempt.ts'
import { nameOf, refusedPayload } from './failures.ts'
import { quiet, quietly, together } from './quiet.ts'
import { positionOf, readRecords } from './records.ts'
import type { Handle, Schema } from './schema.ts'

/** What one flush needs, and no more: every store in it makes its writers wait for each other. */
export type Flush = IDBPTransaction<Schema, ('log' | 'payloads' | '$meta')[], 'readwrite'>

/** Makes the transaction of one flush. */
export function beginFlush(handle: Handle, need: Need, durability: IDBTransactionDurability): Flush {
  const flush = (
    need === 'read'
      ? // Its type says more than it may do: a turn that was announced to read returns nothing to write.
        handle.transaction(['log'], 'readonly')
      : handle.transaction(need === 'durable' ? ['log', 'payloads', '$meta'] : ['log'], 'readwrite', { durability })
  ) as Flush
  return quiet(flush)
}

export interface FoundTail {
  readonly values: readonly unknown[]
  /** What follows `position` is not all there: the log went on by a snapshot, or somebody removed a part of it. */
  readonly isGone: boolean
  /** There may be more behind it. */
  readonly hasMore: boolean
}

/** Records that are read in one transaction: others wait no longer than that takes. */
const RECORDS = 8

/**
 * What stands behind `position`. A log never loses its last record, so a table's own place is there while it is current.
 *
 * @param before how many transactions of this exchange have read before it. Each reads one record more than the last, or
 * whoever is behind would never come to the end of what eight others write.
 */
export async function readTail(flush: Flush, position: number, before: number): Promise<FoundTail> {
  const log = flush.objectStore('log')
  const most = RECORDS + before
  const [values, own] = await together<[unknown[], number | undefined]>(
    () => readRecords(log, IDBKeyRange.lowerBound(position, true), most),
    () => (position === 0 ? Promise.resolve(0) : log.getKey(position)),
  )
  const isGone = own === undefined || (position === 0 && positionOf(values[0]) > 1)
  return { values, isGone, hasMore: values.length === most }
}

/** The place of the last record. */
export async function endOfLog(handle: Handle): Promise<number> {
  const cursor = await quiet(handle.transaction('log')).store.openKeyCursor(null, 'prev')
  return cursor?.primaryKey ?? 0
}

/** Adds the record as the last request of the flush; `null` writes just enough to make what was read durable. */
export async function write(
  flush: Flush,
  { record, payloads }: Append,
  position: number,
  attempt: Attempt,
): Promise<number> {
  const key = await ended(flush, attempt, payloads, () => {
    const added: Promise<unknown> =
      record === null ? flush.objectStore('$meta').put(position, 'barrier') : flush.objectStore('log').add(record)
    quietly(added)
    return added
  })
  return record === null ? position : (key as number)
}

/** How a transaction is refused for a value of it: a File that was changed since it was picked, for instance. */
const UNSTORABLE: readonly string[] = ['DataError', 'DataCloneError']

/** Sends the requests of a flush, all or none, and waits for its end. */
async function ended<Answer>(
  flush: Flush,
  attempt: Attempt,
  chunks: readonly PayloadChunk[] = [],
  send: () => Promise<Answer>,
): Promise<Answer> {
  attempt.appended = true
  let isSent = false
  try {
    const answer = send()
    quietly(answer)
    for (const { key, payloads } of chunks) quietly(flush.objectStore('payloads').put(payloads, key))
    flush.commit()
    isSent = true
    await ending(flush)
    return await answer
  } catch (error) {
    // The requests before the one that failed must not be committed alone.
    if (!isSent) flush.abort()
    const isRefused = chunks.length > 0 && UNSTORABLE.includes(nameOf(error))
    if (!isSent || isRefused) attempt.appended = false
    throw isRefused ? refusedPayload(error) : error
  }
}

/** Not `done` of idb, which is over with the error of a request: only the end of the transaction says what counts, and why. */
function ending(flush: Flush): Promise<void> {
  return new Promise((resolve, reject) => {
    flush.addEventListener('complete', () => resolve())
    flush.addEventListener('abort', () => reject(flush.error ?? new DOMException('Aborted', 'AbortError')))
  })
}

export interface Landing {
  /** Where the record came to stand. */
  readonly position: number
  /** What came between; `null`: that cannot be told any more. */
  readonly between: readonly unknown[] | null
}

/** Adds the record without having read the tail: one trip to the database instead of two, where nobody else writes. */
export async function writeFirst(
  handle: Handle,
  flush: Flush,
  { record, payloads }: Append & { readonly record: object },
  position: number,
  attempt: Attempt,
): Promise<Landing> {
  const [own, keys] = await ended(flush, attempt, payloads, () => {
    const log = flush.objectStore('log')
    const added = log.add(record)
    quietly(added)
    const keys = log.getAllKeys(IDBKeyRange.lowerBound(position))
    quietly(keys)
    return Promise.all([added, keys] as const)
  })
  const others = keys.length - (position === 0 ? 1 : 2)
  const isGone = position > 0 ? keys[0] !== position : (keys[0] ?? 0) > 1
  if (isGone) return { position: own, between: null }
  if (others === 0) return { position: own, between: [] }
  const { store } = quiet(handle.transaction('log'))
  const between = await readRecords(store, IDBKeyRange.bound(position, own, true, true))
  return { position: own, between: between.length === others ? between : null }
}
