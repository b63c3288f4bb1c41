import type { Database } from './database.ts'
import { quiet, together } from './quiet.ts'

/** The chunks that are there, by their keys. */
export function readChunks(
  database: Database,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly unknown[]>> {
  return database.repeated(async (handle) => {
    const { store } = quiet(handle.transaction('payloads'))
    const found = await database.inTime(together<unknown[]>(...keys.map((key) => () => store.get(key))))
    return new Map(keys.flatMap((key, at) => (Array.isArray(found[at]) ? [[key, found[at]] as const] : [])))
  })
}
