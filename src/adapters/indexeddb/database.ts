import { unwrap, wrap } from 'idb'
import { HoldfastError } from '../../core/errors.ts'
import { within } from './deadline.ts'
import { OpenTransactions } from './open-transactions.ts'
import { createStores, type Handle, SCHEMA, VERSION } from './schema.ts'

export interface DatabaseOptions {
  readonly name: string
  /** Asked at each opening: a page may get or lose IndexedDB. */
  readonly factory: () => IDBFactory | undefined
  /** The longest that an opening may take, ms. */
  readonly deadline: number
  readonly newIdentity: () => string
  /** A connection was lost or given away; the next use opens another. */
  readonly onClose: () => void
}

/**
 * The connection to one database: opened when it is needed, dropped as soon as it fails, never tried twice. A dead
 * handle stays dead, and a browser that lost its database process says so with another error each time.
 */
export class Database {
  readonly #options: DatabaseOptions
  #opening: Promise<Handle> | null = null
  #handle: Handle | null = null
  /** Somebody waits with a deletion or an upgrade until all connections are closed. */
  #blocked = false
  /** Of the database that this connection was first opened on. */
  #identity: string | null = null
  #wasReset = false
  #readOnly = false
  readonly #transactions = new OpenTransactions()

  constructor(options: DatabaseOptions) {
    this.#options = options
  }

  /** Another tab keeps an older version of the database open. */
  get isBlocked(): boolean {
    return this.#blocked
  }

  /** A newer version of the package writes here. */
  get isReadOnly(): boolean {
    return this.#readOnly
  }

  /** True once after the data was found to be another's: the browser, or somebody, cleared it. */
  takeReset(): boolean {
    const was = this.#wasReset
    this.#wasReset = false
    return was
  }

  connect(): Promise<Handle> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null
      throw error
    })
    return this.#opening
  }

  /** Forgets the connection; what is under way on it is left to end by itself. */
  drop(): void {
    const handle = this.#handle
    this.#opening = null
    this.#handle = null
    if (handle === null) return
    try {
      handle.close()
    } catch {
      // A dead one may even refuse to be closed.
    }
    this.#options.onClose()
  }

  /** The page is about to stand still, and nobody is to wait for it. */
  abort(): void {
    this.#transactions.abort()
  }

  async #open(): Promise<Handle> {
    const { deadline, name } = this.#options
    let late = false
    const opening = this.#request().then((handle) => {
      // Nobody waits for it any more, and an open connection would block upgrades for ever.
      if (late) handle.close()
      return handle
    })
    const handle = await within(opening, deadline, () => {
      late = true
      return this.#blocked ? blocked(name) : silent(name, 'to be opened', deadline)
    })
    this.#blocked = false
    this.#transactions.watch(unwrap(handle))
    try {
      await within(this.#checkIdentity(handle), deadline, () => silent(name, 'to be read', deadline))
    } catch (error) {
      handle.close()
      throw unusable(name, error)
    }
    this.#handle = handle
    handle.addEventListener('close', () => this.#lost(handle))
    // Whoever asks wants to delete or to upgrade the database, and waits for this.
    handle.addEventListener('versionchange', () => this.#lost(handle))
    return handle
  }

  #lost(handle: Handle): void {
    if (this.#handle === handle) this.drop()
    else handle.close()
  }

  async #request(): Promise<Handle> {
    const { name } = this.#options
    const factory = this.#factory()
    try {
      return await this.#openVersion(factory, VERSION)
    } catch (error) {
      // A newer version of the package has upgraded it, and added to it: what this one knows is still there.
      if (nameOf(error) !== 'VersionError') throw unusable(name, error)
      return await this.#openVersion(factory, undefined).catch((cause: unknown) => {
        throw unusable(name, cause)
      })
    }
  }

  #openVersion(factory: IDBFactory, version: number | undefined): Promise<Handle> {
    const request = factory.open(this.#options.name, version)
    request.onupgradeneeded = () => {
      const { result, transaction } = request
      if (transaction !== null) createStores(result, transaction, this.#options.newIdentity())
    }
    request.onblocked = () => {
      this.#blocked = true
    }
    return wrap(request) as Promise<unknown> as Promise<Handle>
  }

  #factory(): IDBFactory {
    const unavailable = (cause?: unknown): HoldfastError =>
      new HoldfastError('HOLDFAST_STORAGE_UNAVAILABLE', 'There is no IndexedDB here', { cause })
    try {
      const factory = this.#options.factory()
      // Null in some private modes, and in frames that may not store anything.
      if (factory) return factory
    } catch (cause) {
      throw unavailable(cause)
    }
    throw unavailable()
  }

  async #checkIdentity(handle: Handle): Promise<void> {
    const transaction = handle.transaction('$meta')
    const [identity, minWriter] = await Promise.all([
      transaction.store.get('identity'),
      transaction.store.get('minWriter'),
      transaction.done,
    ])
    this.#readOnly = typeof minWriter === 'number' && minWriter > SCHEMA
    const found = typeof identity === 'string' ? identity : ''
    if (this.#identity !== null && this.#identity !== found) this.#wasReset = true
    this.#identity = found
  }
}

/** By name: the class is another in each engine. */
export function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : ''
}

export function explained(name: string, error: unknown): Error {
  if (HoldfastError.is(error)) return error
  const said = error instanceof Error || nameOf(error) !== '' ? `${nameOf(error)}: ${messageOf(error)}` : String(error)
  if (nameOf(error) === 'QuotaExceededError')
    return new HoldfastError('HOLDFAST_STORAGE_FULL', `The browser gives ${name} no more space (${said})`, {
      cause: error,
    })
  return new HoldfastError('HOLDFAST_STORAGE', `The database ${name} cannot be used (${said})`, { cause: error })
}

/** Why a database could not even be opened. */
function unusable(name: string, error: unknown): Error {
  const names = ['SecurityError', 'InvalidStateError', 'NotAllowedError']
  if (HoldfastError.is(error) || !names.includes(nameOf(error))) return explained(name, error)
  return new HoldfastError(
    'HOLDFAST_STORAGE_UNAVAILABLE',
    `This page may not store anything (${messageOf(error)}): a private window, perhaps, or a frame of another site`,
    { cause: error },
  )
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : ''
}

export function silent(name: string, what: string, deadline: number): HoldfastError {
  return new HoldfastError('HOLDFAST_STORAGE_TIMEOUT', `The database ${name} took more than ${deadline} ms ${what}`)
}

function blocked(name: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_STORAGE_BLOCKED',
    `Another tab keeps an older version of the database ${name} open: close or reload it`,
  )
}
