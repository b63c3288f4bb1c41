import type { Damage } from './damage.ts'
import type { Database } from './database.ts'
import { quiet, together } from './quiet.ts'
import { readOne } from './unreadable.ts'

const UNREADABLE = Symbol('unreadable')

/** The chunks that are there, by their keys. One that is gone need not be missed: its jobs may have ended elsewhere. */
export function readChunks(
  database: Database,
  damage: Damage,
  keys: readonly string[],
): Promise<ReadonlyMap<string, readonly unknown[]>> {
  return database.repeated(async (handle) => {
    const { store } = quiet(handle.transaction('payloads'))
    const found = await database.inTime(
      together<unknown[]>(...keys.map((key) => () => readOne(store, key, UNREADABLE))),
    )
    const chunks = new Map<string, readonly unknown[]>()
    for (const [at, key] of keys.entries()) {
      const chunk = found[at]
      if (Array.isArray(chunk)) chunks.set(key, chunk)
      else if (chunk !== undefined) damage.add(`payloads/${key}`, chunk === UNREADABLE ? undefined : chunk)
    }
    return chunks
  })
}
