import { unwrap, wrap } from 'idb'
import { HoldfastError } from '../../core/errors.ts'
import { keepsBlobs } from './blobs.ts'
import { within } from './deadline.ts'
import { blocked, explained, mayPass, nameOf, noIndexedDb, silent, unopened } from './failures.ts'
import { OpenTransactions } from './open-transactions.ts'
import { quiet, quietly, together } from './quiet.ts'
import { createStores, type Handle, SCHEMA, VERSION } from './schema.ts'

export interface DatabaseOptions {
  readonly name: string
  /** Asked at each opening: a page may get or lose IndexedDB. */
  readonly factory: () => IDBFactory | undefined
  /** The longest that an opening may take, ms. */
  readonly deadline: number
  readonly newIdentity: () => string
  /** The browser closed the connection, or somebody else wants to have it closed. */
  readonly onLost: () => void
  /** Another tab keeps an opening waiting, or does so no longer: see `isBlocked`. */
  readonly onBlocked: () => void
}

/** How often something is begun anew, on a new connection, before its callers are told. */
const MOST_TRIES = 4

/** Before the second try, ms; twice as long before each further one. */
const FIRST_PAUSE = 50

/** @throws the problem, where there is to be no other try */
export async function pauseBeforeNext(tries: number, problem: Error): Promise<void> {
  if (tries === MOST_TRIES || !mayPass(problem)) throw problem
  await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE * 2 ** (tries - 1)))
}

/**
 * The connection to one database: opened when it is needed, dropped as soon as it fails, never tried twice. A dead
 * handle stays dead, and a browser that lost its database process says so with another error each time.
 * [tests/browser/indexeddb-failures.test.ts]
 */
export class Database {
  readonly #options: DatabaseOptions
  #opening: Promise<Handle> | null = null
  #handle: Handle | null = null
  /** Openings that were begun before the latest `drop` are not wanted any more. */
  #drops = 0
  #blocked = false
  /** Resolves when the page is back; `null`: it is here. */
  #back: Promise<void> | null = null
  #comeBack = (): void => undefined
  /** Of the database that this connection was first opened on. */
  #identity: unknown = null
  #wasReset = false
  #readOnly = false
  #keepsBlobs = true
  readonly #transactions = new OpenTransactions()
  #deleted = false

  constructor(options: DatabaseOptions) {
    this.#options = options
  }

  /** A newer version of the package writes here. */
  get isReadOnly(): boolean {
    return this.#readOnly
  }

  /** What was found at the latest opening; see `keepsBlobs`. */
  get keepsBlobs(): boolean {
    return this.#keepsBlobs
  }

  /** An upgrade waits for another tab, which keeps an older version of the database open. */
  get isBlocked(): boolean {
    return this.#blocked
  }

  /** Somebody deletes it, and nothing has asked for another one since. */
  get isDeleted(): boolean {
    return this.#deleted
  }

  /** True once after the data was found to be gone, or another's: the browser, or somebody, cleared it. */
  takeReset(): boolean {
    const was = this.#wasReset
    this.#wasReset = false
    return was
  }

  connect(): Promise<Handle> {
    const opening = (this.#opening ??= this.#open().catch((error: unknown) => {
      if (this.#opening === opening) this.#opening = null
      throw error
    }))
    return opening
  }

  /**
   * Forgets the connection (`handle`: only if it is that one); what is under way on it is left to end by itself, and an
   * opening that is under way fails.
   */
  drop(handle?: Handle): void {
    if (handle !== undefined && handle !== this.#handle) return closeHandle(handle)
    const dropped = this.#handle
    this.#drops += 1
    this.#opening = null
    this.#handle = null
    if (dropped !== null) closeHandle(dropped)
  }

  /** Gives up a transaction that takes too long: some never answer. */
  inTime<Answer>(transaction: Promise<Answer>): Promise<Answer> {
    const { deadline, name } = this.#options
    return within(transaction, deadline, () => silent(name, 'for one transaction', deadline))
  }

  /** Work that may be done twice, and is begun anew on another connection when one fails. */
  async repeated<Answer>(work: (handle: Handle) => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      let handle: Handle | undefined
      try {
        handle = await this.connect()
        return await work(handle)
      } catch (error) {
        if (handle !== undefined) this.drop(handle)
        await pauseBeforeNext(tries, explained(this.#options.name, error))
      }
    }
  }

  /** The page is about to stand still, and nobody is to wait for it: nothing is opened until it comes back. */
  leave(): void {
    this.#back ??= new Promise((resolve) => (this.#comeBack = resolve))
    this.#transactions.abort()
    this.drop()
  }

  comeBack(): void {
    this.#back = null
    this.#comeBack()
  }

  async #open(): Promise<Handle> {
    const { deadline, name } = this.#options
    const drops = this.#drops
    if (this.#back !== null) await this.#back
    let late = false
    this.#deleted = false
    const opening = this.#request().then((handle) => {
      // Nobody waits for it any more, and an open connection would block upgrades for ever.
      if (late) closeHandle(handle)
      return handle
    })
    this.#block(false)
    const handle = await within(opening, deadline, () => {
      late = true
      return this.#blocked ? blocked(name) : silent(name, 'to be opened', deadline)
    })
    this.#block(false)
    this.#transactions.watch(unwrap(handle))
    // From here on somebody may want it closed; whoever asks wants to delete or to upgrade the database, and waits.
    handle.addEventListener('close', () => this.#lost(handle, false))
    handle.addEventListener('versionchange', (event) => this.#lost(handle, event.newVersion === null))
    try {
      await within(this.#checkIdentity(handle), deadline, () => silent(name, 'to be read', deadline))
    } catch (error) {
      closeHandle(handle)
      throw explained(name, error)
    }
    if (drops !== this.#drops) {
      closeHandle(handle)
      throw new HoldfastError('HOLDFAST_STORAGE', `The connection to the database ${name} was given up`)
    }
    this.#handle = handle
    return handle
  }

  #block(blocked: boolean): void {
    if (this.#blocked === blocked) return
    this.#blocked = blocked
    this.#options.onBlocked()
  }

  #lost(handle: Handle, deleted: boolean): void {
    if (this.#handle !== handle) return closeHandle(handle)
    this.#deleted = deleted
    this.drop()
    this.#options.onLost()
  }

  async #request(): Promise<Handle> {
    const factory = this.#factory()
    try {
      return await this.#openVersion(factory, VERSION).catch((error: unknown) => {
        if (nameOf(error) !== 'VersionError') throw error
        // A newer version of the package has upgraded it, and added to it: what this one knows is still there.
        return this.#openVersion(factory, undefined)
      })
    } catch (error) {
      throw unopened(this.#options.name, error, this.#identity !== null)
    }
  }

  async #openVersion(factory: IDBFactory, version: number | undefined): Promise<Handle> {
    const request = factory.open(this.#options.name, version)
    request.onupgradeneeded = (event) => {
      const { result, transaction } = request
      if (transaction !== null) createStores(result, transaction, this.#options.newIdentity())
      // Only Chromium says it: what it kept for this origin was damaged, so it has thrown all of it away.
      if ('dataLoss' in event && event.dataLoss === 'total') this.#wasReset = true
    }
    request.onblocked = () => this.#block(true)
    return wrap(request) as Promise<unknown> as Promise<Handle>
  }

  #factory(): IDBFactory {
    let factory: IDBFactory | undefined
    try {
      factory = this.#options.factory()
    } catch (cause) {
      throw noIndexedDb(cause)
    }
    // Null in some private modes, and in frames that may not store anything.
    if (!factory) throw noIndexedDb()
    return factory
  }

  async #checkIdentity(handle: Handle): Promise<void> {
    const { store } = quiet(handle.transaction('$meta'))
    const [identity, minWriter, blob] = await together(
      () => store.get('identity'),
      () => store.get('minWriter'),
      () => store.getKey('blob'),
    )
    this.#readOnly = typeof minWriter === 'number' && minWriter > SCHEMA
    this.#keepsBlobs = this.#readOnly || blob !== undefined || (await keepsBlobs(handle))
    const found = typeof identity === 'string' || this.#readOnly ? identity : await this.#giveIdentity(handle)
    if (this.#identity !== null && this.#identity !== found) this.#wasReset = true
    this.#identity = found
  }

  /** Somebody emptied the store, but did not delete the database. */
  async #giveIdentity(handle: Handle): Promise<string> {
    const transaction = quiet(handle.transaction('$meta', 'readwrite'))
    const others = await transaction.store.get('identity')
    const identity = typeof others === 'string' ? others : this.#options.newIdentity()
    quietly(transaction.store.put(identity, 'identity'))
    await transaction.done
    return identity
  }
}

function closeHandle(handle: Handle): void {
  try {
    handle.close()
  } catch {
    // A dead one may even refuse to be closed.
  }
}
