import { EMPTY, type Snapshot, type SnapshotRow } from '../../core/storage/job-table/job-table.ts'
import { LOG_FORMAT } from '../../core/storage/log.ts'
import type { Damage } from './damage.ts'
import type { Database } from './database.ts'
import { HEADS, readHead } from './heads.ts'
import { quiet, quietly, together } from './quiet.ts'
import { asChunk, asRecord, isRow, readRecords } from './records.ts'
import type { Handle, Meta, SnapshotHead } from './schema.ts'
import { readAll, readOne } from './unreadable.ts'

/** Rows in one record of a snapshot. */
const ROWS = 1000
/** Records of a snapshot that are read or written in one transaction: others wait no longer than that takes. */
const CHUNKS = 2
/** How long the table may be copied without a pause, ms. */
const SLICE = 8

export interface Loaded {
  readonly snapshot: Snapshot
  /** Of the last record that it contains. */
  readonly position: number
  /** Somebody wrote it whose formats are unknown here: what can be read of it was read. */
  readonly isNewer: boolean
}

/** A table as it was at one place of the log, on its way into the database. */
export interface TableCopy extends Omit<Snapshot, 'rows'> {
  readonly rows: readonly SnapshotRow[]
  readonly position: number
  /** Of the data that the table was loaded from: it is not written to other data that came in the place of that. */
  readonly identity: unknown
  /** Payload chunks that no row names any more. */
  readonly dead: readonly string[]
}

export interface SnapshotsOptions {
  readonly writer: string
  /** Changes in the log after which a snapshot is made, or twice its rows if that is more. */
  readonly snapshotAfter: number
  readonly database: Database
  readonly damage: Damage
}

/**
 * Snapshots of the table, a thousand rows to a record. They are written and read in short transactions, so that other
 * tabs go on; a last one makes the new snapshot the one that counts and removes the log before the one it replaces.
 */
export class Snapshots {
  /** Why the log grows; `null`: it does not, or one try has failed, as one does that a frozen page cuts short. */
  problem: Error | null = null
  readonly #writer: string
  readonly #least: number
  readonly #database: Database
  readonly #damage: Damage
  #generations = 0
  /** Tries in a row. */
  #failures = 0
  #head: SnapshotHead | null = null
  /** Changes in the log since the head's position. */
  #changes = 0
  #busy = false
  #hurried = false
  /** See `TableCopy`. */
  #identity: unknown
  /** Payload chunks when the copy was begun. */
  #chunks = new Set<string>()
  /** Until the log is here, a snapshot is left to the tab that began one. */
  #notBefore = 0

  constructor({ writer, snapshotAfter, database, damage }: SnapshotsOptions) {
    this.#writer = writer
    this.#least = snapshotAfter
    this.#database = database
    this.#damage = damage
  }

  /** To be told of every record that was read or written. */
  count(changes: number): void {
    this.#changes += changes
  }

  /**
   * @param size rows of the table. Where many have gone since the last snapshot, as when what is done was pruned, the log
   * and that snapshot are mostly of them.
   */
  isDue(position: number, size: number): boolean {
    if (this.#busy || position < this.#notBefore) return false
    return this.#hurried || this.#changes >= Math.max(this.#least, 2 * Math.min(this.#head?.count ?? 0, size))
  }

  /** The newest snapshot, read piece by piece. It may be replaced meanwhile: then it is read anew. */
  async load(handle: Handle): Promise<Loaded> {
    for (;;) {
      const head = await this.#readHead(handle, this.#damage)
      this.#knows(head)
      this.#changes = 0
      if (head === null) {
        // The log may have begun anew: what was put off went by the places of the one before.
        this.#notBefore = 0
        return { snapshot: EMPTY, position: 0, isNewer: false }
      }
      const isNewer = head.format > LOG_FORMAT
      const chunks = await this.#readChunks(handle, head)
      if (chunks.length < head.chunks && (await this.#readHead(handle))?.generation !== head.generation) continue
      const { sequence, highest, count, versions, position } = head
      const rows = chunks.flatMap((chunk) => asChunk(chunk)?.rows ?? [])
      const good = rows.filter(isRow)
      if (!isNewer && good.length < count) this.#noteDamage(head, chunks, good.length)
      return { snapshot: { sequence, highest, count, versions, rows: good }, position, isNewer }
    }
  }

  /** Rows that are gone are counted; what is there and cannot be read is kept. */
  #noteDamage({ generation, count }: SnapshotHead, chunks: readonly unknown[], good: number): void {
    const bad = chunks.flatMap((chunk) => asChunk(chunk)?.rows.filter((row) => !isRow(row)) ?? [chunk])
    if (bad.length > 0) this.#damage.add(`snapshot/${generation}#${good}`, bad)
    for (let n = good; n < count; n++) this.#damage.add(`snapshot/${generation}#${n}`)
  }

  /**
   * Whether this tab is to make a snapshot at `position`. Asked in the database, so that tabs do not all make one: it is
   * left to the one that began, until the log has grown by as much again. `null`: the data is no longer called what it was
   * when the table was loaded.
   */
  async begin(handle: Handle, position: number): Promise<boolean | null> {
    const transaction = quiet(
      handle.transaction(['snapshot', '$meta', 'log', 'payloads'], 'readwrite', { durability: 'relaxed' }),
    )
    const meta = transaction.objectStore('$meta')
    const [newest, mark, others, chunks, identity] = await together<
      [SnapshotHead | null, Meta['snapshotting'] | undefined, number, string[], unknown]
    >(
      () => readHead(transaction.objectStore('snapshot')),
      () => meta.get('snapshotting') as Promise<Meta['snapshotting'] | undefined>,
      () => transaction.objectStore('log').count(IDBKeyRange.lowerBound(position, true)),
      () => transaction.objectStore('payloads').getAllKeys(),
      () => meta.get('identity'),
    )
    if (identity !== this.#identity) return null
    // What others wrote since may name chunks that this table knows nothing of.
    this.#chunks = others === 0 ? new Set(chunks) : new Set()
    const known = this.#head?.position ?? 0
    const grown = position - known
    // As long again as the log had grown when that one began.
    const until = mark?.writer === this.#writer ? 0 : 2 * (mark?.position ?? 0) - known
    const isNewer = (newest?.position ?? 0) > known
    if (isNewer) {
      this.#changes = Math.floor((this.#changes * Math.max(0, position - (newest?.position ?? 0))) / Math.max(1, grown))
      this.#knows(newest)
    } else if (position < until) this.#notBefore = until
    else quietly(meta.put({ writer: this.#writer, position } satisfies Meta['snapshotting'], 'snapshotting'))
    await transaction.done
    return !isNewer && position >= this.#notBefore
  }

  /** Copies the table, which must not change meanwhile, with pauses for the page. */
  async copy({ rows, ...rest }: Snapshot, position: number): Promise<TableCopy> {
    this.#busy = true
    const copied: SnapshotRow[] = []
    const chunks = this.#chunks
    const identity = this.#identity
    let since = performance.now()
    for (const row of rows) {
      copied.push(row)
      chunks.delete(row.row['shelf'] as string)
      if (copied.length % 256 !== 0 || performance.now() - since < SLICE) continue
      await pause()
      since = performance.now()
    }
    return { ...rest, rows: copied, position, identity, dead: [...chunks] }
  }

  /** Writes what `copy` gave, unless another tab's newer snapshot comes first. */
  async publish(handle: Handle, copy: TableCopy): Promise<void> {
    const changes = this.#changes
    try {
      const generation = `${this.#writer}.${++this.#generations}`
      const chunks = await this.#writeChunks(handle, generation, copy.rows)
      const { rows: _, dead, identity, ...head } = copy
      const published = await this.#database.inTime(
        this.#makeHead(handle, { ...head, format: LOG_FORMAT, generation, chunks }, { dead, identity }),
      )
      if (published) this.#changes -= changes
    } finally {
      this.#hurried = false
      this.#busy = false
    }
  }

  /** The next one is made at once: it makes room. */
  hurry(): void {
    this.#hurried = true
    this.#notBefore = 0
  }

  /** One could not be made: not to be tried again with each flush. */
  failed(position: number, problem: Error): void {
    if (++this.#failures > 1) this.problem = problem
    this.#notBefore = Math.max(this.#notBefore, position + Math.max(1, position - (this.#head?.position ?? 0)))
  }

  /** The snapshot that counts, whoever has made it: the log goes on from there. */
  #knows(head: SnapshotHead | null): void {
    this.#head = head
    this.#failures = 0
    this.problem = null
  }

  /** While some are taken over here, the database reads the next. */
  async #readChunks(handle: Handle, { generation, chunks }: SnapshotHead): Promise<readonly unknown[]> {
    const read = (first: number): Promise<readonly unknown[]> => {
      const last = Math.min(chunks, first + CHUNKS) - 1
      if (last < first) return Promise.resolve([])
      const range = IDBKeyRange.bound(chunkKey(generation, first), chunkKey(generation, last))
      const { store } = quiet(handle.transaction('snapshot'))
      const some = this.#database.inTime(readAll(store, range, () => null))
      quietly(some)
      return some
    }
    const found: unknown[] = []
    let next = read(0)
    for (let first = 0; first < chunks; first += CHUNKS) {
      const some = next
      next = read(first + CHUNKS)
      found.push(...(await some))
    }
    return found
  }

  async #readHead(handle: Handle, damage?: Damage): Promise<SnapshotHead | null> {
    const transaction = quiet(handle.transaction(['snapshot', '$meta']))
    const [head, identity] = await this.#database.inTime(
      together<[SnapshotHead | null, unknown]>(
        () => readHead(transaction.objectStore('snapshot'), damage),
        () => transaction.objectStore('$meta').get('identity'),
      ),
    )
    this.#identity = identity
    return head
  }

  async #writeChunks(handle: Handle, generation: string, rows: readonly SnapshotRow[]): Promise<number> {
    const chunks = Math.ceil(rows.length / ROWS)
    for (let first = 0; first < chunks; first += CHUNKS) {
      await pause()
      const transaction = handle.transaction('snapshot', 'readwrite', { durability: 'relaxed' })
      for (let chunk = first; chunk < Math.min(chunks, first + CHUNKS); chunk++) {
        const some = rows.slice(chunk * ROWS, (chunk + 1) * ROWS)
        quietly(transaction.store.put({ rows: some }, chunkKey(generation, chunk)))
      }
      await this.#database.inTime(transaction.done)
    }
    return chunks
  }

  async #makeHead(
    handle: Handle,
    head: SnapshotHead,
    { dead, identity }: Pick<TableCopy, 'dead' | 'identity'>,
  ): Promise<boolean> {
    const transaction = quiet(
      handle.transaction(['snapshot', 'log', 'payloads', '$damaged', '$meta'], 'readwrite', { durability: 'strict' }),
    )
    const store = transaction.objectStore('snapshot')
    const since = IDBKeyRange.lowerBound(head.position, true)
    const [before, keys, present] = await together<[SnapshotHead | null, string[], unknown]>(
      () => readHead(store),
      () => store.getAllKeys(),
      () => transaction.objectStore('$meta').get('identity'),
    )
    const own = keys.filter((key) => key.startsWith(`${head.generation}/`))
    // No head is left of what the table could not begin with: it is kept for people.
    const isLost = before === null && keys.some((key) => HEADS.includes(key))
    const kept = transaction.objectStore('$damaged')
    const texts = dead.length === 0 ? [] : (await readAll(kept, IDBKeyRange.lowerBound(''), () => null)).map(textOf)
    const remove = async (from: 'snapshot' | 'payloads', key: string): Promise<void> => {
      const values = transaction.objectStore(from)
      // So is a payload that something damaged speaks of.
      if (isLost || texts.some((text) => text?.includes(JSON.stringify(key)) !== false)) {
        this.#damage.add(`${from}/${key}`)
        quietly(kept.put(await readOne(values, key, null), `${from}/${key}`))
      }
      quietly(values.delete(key))
    }
    const published = identity === present && own.length === head.chunks && (before?.position ?? -1) < head.position
    if (published) {
      for (const key of HEADS) quietly(store.put(head, key))
      for (const key of keys) if (!HEADS.includes(key) && !own.includes(key)) await remove('snapshot', key)
      // A tab that is behind reads on from what the snapshot before this one contained; the last record stays.
      const position = Math.min(before?.position ?? 0, head.position - 1)
      if (position > 0) quietly(transaction.objectStore('log').delete(IDBKeyRange.upperBound(position)))
      const named = dead.length === 0 ? [] : namedIn(await readRecords(transaction.objectStore('log'), since))
      for (const key of dead) if (named?.includes(key) === false) await remove('payloads', key)
    } else for (const key of own) quietly(store.delete(key))
    await transaction.done
    this.#knows(published ? head : before)
    return published
  }
}

/**
 * Chunks that records name which came after the copy: a call whose first record was void has written its chunk before.
 * `null`: that cannot be told.
 */
function namedIn(values: readonly unknown[]): readonly unknown[] | null {
  const records = values.map(asRecord)
  if (records.some((record) => record === null || record.format > LOG_FORMAT)) return null
  return records.flatMap((record) => record?.units.flat().map(({ to }) => to?.['shelf']) ?? [])
}

/** In which the names can be looked for that somebody spoilt; `undefined`: it may name anything. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** Keys of one generation stand in the order of their numbers. */
function chunkKey(generation: string, chunk: number): string {
  return `${generation}/${String(chunk).padStart(6, '0')}`
}

/** Lets the page do what waits. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
