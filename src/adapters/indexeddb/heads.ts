import type { IDBPObjectStore } from 'idb'
import type { Damage } from './damage.ts'
import { together } from './quiet.ts'
import { asHead } from './records.ts'
import type { Schema, SnapshotHead } from './schema.ts'

/**
 * The keys of the head, which is written twice: without one a snapshot is not found, and the next deletes its rows. So
 * whoever spoils the one has taken nothing away. [tests/browser/indexeddb-damage.test.ts]
 */
export const HEADS: readonly string[] = ['head', 'same head']

type Store = Pick<IDBPObjectStore<Schema, ['snapshot'], 'snapshot', IDBTransactionMode>, 'get'>

/** The head of the snapshot that counts. `null`: there is none, or none that can be read. */
export async function readHead(store: Store, damage?: Damage): Promise<SnapshotHead | null> {
  const values = await together<unknown[]>(...HEADS.map((key) => () => store.get(key)))
  const heads = values.map(asHead)
  // An older version writes, and takes away, only the first: that there is no other is no damage.
  const isMissing = (at: number): boolean => values[at] === undefined && (at > 0 || values[1] === undefined)
  for (const [at, head] of heads.entries())
    if (head === null && !isMissing(at)) damage?.add(`snapshot/${HEADS[at]}`, values[at])
  return heads.find((head) => head !== null) ?? null
}
