import { type IDBPObjectStore, type StoreNames, unwrap } from 'idb'
import { nameOf } from './failures.ts'
import { quietly } from './quiet.ts'
import type { Schema } from './schema.ts'

type Store<Name extends StoreNames<Schema>> = Pick<
  IDBPObjectStore<Schema, Name[], Name, IDBTransactionMode>,
  'get' | 'getAll' | 'getAllKeys'
>

/**
 * Chromium keeps large values in files of their own, and where such a file is gone the reading fails with one of these
 * (the second in versions 130 and 131). The other values can be read, so one that cannot must not stop them: what is read
 * here ends without an error, and leaves its transaction as it was. [tests/browser/pages/unreadable.chromium.test.ts]
 */
const UNREADABLE: readonly string[] = ['NotReadableError', 'NotFoundError']

/** The value at a key. @param unreadable stands in for one that cannot be read */
export function readOne<Name extends StoreNames<Schema>>(
  store: Store<Name>,
  key: Schema[Name]['key'],
  unreadable: unknown,
): Promise<unknown> {
  return spared<unknown>(store.get(key), () => unreadable)
}

/** The values of a range, in order. @param unreadable makes what stands in for one that cannot be read, from its key */
export function readAll<Name extends StoreNames<Schema>>(
  store: Store<Name>,
  range: IDBKeyRange,
  unreadable: (key: Schema[Name]['key']) => unknown,
  most?: number,
): Promise<unknown[]> {
  // One by one only where that is needed: all at once is several times as fast.
  return spared<unknown[]>(store.getAll(range, most), async () => {
    const keys = await store.getAllKeys(range, most)
    return Promise.all(keys.map((key) => readOne(store, key, unreadable(key))))
  })
}

function spared<Value>(reading: Promise<Value>, instead: () => Value | Promise<Value>): Promise<Value> {
  unwrap(reading as Promise<IDBValidKey>).addEventListener('error', (event) => {
    if (!UNREADABLE.includes(nameOf((event.target as IDBRequest).error))) return
    // Else it would abort the transaction, and be told to whoever waits for its end.
    event.preventDefault()
    event.stopPropagation()
  })
  const answer = reading.catch((error: unknown) => {
    if (!UNREADABLE.includes(nameOf(error))) throw error
    return instead()
  })
  quietly(answer)
  return answer
}
