/**
 * An IDBFactory that goes wrong on cue. The objects are the browser's own, and so are their answers; what goes wrong is
 * done to them from outside, through own properties and listeners that come first.
 */

/** One thing that the code under test asks of the database. `commit` is the end of a readwrite transaction. */
export interface Moment {
  readonly kind: 'open' | 'transaction' | 'request' | 'commit'
  /** Of all moments of this kind, from 1. */
  readonly n: number
  readonly mode?: IDBTransactionMode
  readonly stores?: readonly string[]
  /** What a transaction asks for. */
  readonly durability?: IDBTransactionDurability
  /** Of a request: the method of the object store, such as `add`, that store, and the key or the range it asks for. */
  readonly method?: string
  readonly store?: string
  readonly query?: unknown
}

/**
 * What happens then. `fail`: it throws at once (an opening: it ends with the error). `abort`: the transaction is aborted
 * once its requests have succeeded, and says this error, or none. `lose the answer`: it is committed, and its end says
 * that it was aborted. `never`: no event ever comes; what it was to do is done all the same, but an opening is not.
 * `hold`: the transaction stays open until `release()`. `late`: what a slow tab makes of a transaction: it completes for
 * all others, and its own end is told only after `until`. `unreadable`: the request alone ends with the error, as one does
 * for a value whose file is gone.
 */
export type Fault =
  | { readonly fault: 'fail' | 'abort'; readonly error: string | null }
  | { readonly fault: 'unreadable'; readonly error: string }
  | { readonly fault: 'lose the answer' | 'never' | 'hold' }
  | { readonly fault: 'late'; readonly until: Promise<void> }

export class FaultyFactory implements IDBFactory {
  /** Asked at each moment. */
  plan: (moment: Moment) => Fault | null = () => null
  readonly moments: Moment[] = []
  /** All connections that were ever opened. */
  readonly connections: IDBDatabase[] = []
  /** Like some wrappers of IndexedDB, and old browsers. */
  dropsDurability = false
  readonly #inner: IDBFactory
  readonly #counts = new Map<string, number>()
  #held = true

  constructor(inner: IDBFactory = indexedDB) {
    this.#inner = inner
  }

  /** Lets go of the transactions that are held, and of those to come. */
  release(): void {
    this.#held = false
  }

  get isHolding(): boolean {
    return this.#held
  }

  cmp(a: unknown, b: unknown): number {
    return this.#inner.cmp(a, b)
  }

  databases(): Promise<IDBDatabaseInfo[]> {
    return this.#inner.databases()
  }

  deleteDatabase(name: string): IDBOpenDBRequest {
    return this.#inner.deleteDatabase(name)
  }

  open(name: string, version?: number): IDBOpenDBRequest {
    const fault = this.moment({ kind: 'open' })
    if (fault?.fault === 'fail') throw named(fault.error)
    const request = this.#inner.open(name, version)
    if (fault?.fault === 'never') silenceOpening(request)
    else request.addEventListener('success', () => this.#connected(request.result))
    return request
  }

  /** @internal */
  moment(moment: Omit<Moment, 'n'>): Fault | null {
    const n = (this.#counts.get(moment.kind) ?? 0) + 1
    this.#counts.set(moment.kind, n)
    const whole = { ...moment, n }
    this.moments.push(whole)
    return this.plan(whole)
  }

  #connected(database: IDBDatabase): void {
    this.connections.push(database)
    const begin = database.transaction.bind(database)
    database.transaction = (stores, mode = 'readonly', options) => {
      const names = typeof stores === 'string' ? [stores] : [...stores]
      const durability = options?.durability ?? 'default'
      const fault = this.moment({ kind: 'transaction', mode, stores: names, durability })
      if (fault?.fault === 'fail') throw named(fault.error)
      const transaction = begin(names, mode, this.dropsDurability ? undefined : options)
      new Watched(this, transaction, names)
      if (fault?.fault === 'never') silence(transaction, ['complete', 'abort', 'error'])
      if (fault?.fault === 'late') tellLate(transaction, fault.until)
      return transaction
    }
  }
}

const WRITES = ['add', 'put', 'delete', 'clear'] as const
const READS = ['get', 'getAll', 'getKey', 'getAllKeys', 'count', 'openKeyCursor', 'openCursor'] as const

/** A transaction whose requests and whose end go through the plan. */
class Watched {
  readonly #factory: FaultyFactory
  readonly #transaction: IDBTransaction
  readonly #stores: readonly string[]
  readonly #commit: () => void
  #open = 0
  #fault: Fault | null = null

  constructor(factory: FaultyFactory, transaction: IDBTransaction, stores: readonly string[]) {
    this.#factory = factory
    this.#transaction = transaction
    this.#stores = stores
    const objectStore = transaction.objectStore.bind(transaction)
    const known = new Map<string, IDBObjectStore>()
    transaction.objectStore = (name) => {
      const store = known.get(name) ?? this.#watch(objectStore(name))
      known.set(name, store)
      return store
    }
    this.#commit = transaction.commit.bind(transaction)
    if (transaction.mode === 'readwrite') transaction.commit = () => this.#end()
  }

  #watch(store: IDBObjectStore): IDBObjectStore {
    for (const method of [...WRITES, ...READS]) {
      const inner = (store[method] as (...parameters: unknown[]) => IDBRequest).bind(store)
      const watched = (...parameters: unknown[]): IDBRequest => {
        const { mode } = this.#transaction
        const asked = {
          kind: 'request',
          mode,
          stores: this.#stores,
          method,
          store: store.name,
          query: parameters[0],
        } as const
        const fault = this.#factory.moment(asked)
        if (fault?.fault === 'fail') throw named(fault.error)
        const request = inner(...parameters)
        if (fault?.fault === 'unreadable') {
          failReading(request, named(fault.error))
          return request
        }
        this.#open += 1
        if (fault?.fault === 'never') silence(request, ['success', 'error'])
        if (fault !== null) this.#fault = fault
        request.addEventListener('success', () => {
          this.#open -= 1
          this.#answered(store)
        })
        return request
      }
      // What cannot be changed again could not be wrapped.
      Object.defineProperty(store, method, { value: watched, configurable: true, writable: true })
    }
    return store
  }

  /** All requests have been sent, and the code under test wants the end. */
  #end(): void {
    const fault = this.#factory.moment({ kind: 'commit', mode: 'readwrite', stores: this.#stores })
    // One of the requests has its own, which needs the transaction to be open when it is answered.
    if (this.#fault !== null) return
    if (fault?.fault === 'fail') throw named(fault.error)
    if (fault === null || fault.fault === 'never' || fault.fault === 'lose the answer') {
      if (fault?.fault === 'never') silence(this.#transaction, ['complete', 'abort', 'error'])
      if (fault?.fault === 'lose the answer') this.#loseAnswer()
      this.#commit()
    } else this.#fault = fault
  }

  /** Within the answer of a request, where the transaction is active. */
  #answered(store: IDBObjectStore): void {
    const fault = this.#fault
    if (fault?.fault === 'abort' && this.#open === 0) {
      if (fault.error !== null)
        Object.defineProperty(this.#transaction, 'error', { value: named(fault.error), configurable: true })
      this.#transaction.abort()
    } else if (fault?.fault === 'hold' && this.#open === 0) this.#hold(store)
  }

  /** One request after the other, as a page that is frozen in the middle of its transaction would look to others. */
  #hold(store: IDBObjectStore): void {
    if (!this.#factory.isHolding) return
    const request = IDBObjectStore.prototype.getKey.call(store, 'nothing')
    request.addEventListener('success', () => this.#hold(store))
  }

  #loseAnswer(): void {
    const transaction = this.#transaction
    transaction.addEventListener('complete', (event) => {
      event.stopImmediatePropagation()
      transaction.dispatchEvent(event_('abort'))
    })
  }
}

/** Of the class that the emulation knows as well. */
export function event_(type: string): Event {
  return new IDBVersionChangeEvent(type)
}

function named(name: string | null): DOMException {
  return new DOMException('On cue', name ?? 'AbortError')
}

function failReading(request: IDBRequest, error: DOMException): void {
  request.addEventListener('success', (success) => {
    success.stopImmediatePropagation()
    Object.defineProperty(request, 'error', { value: error, configurable: true })
    const event = new IDBVersionChangeEvent('error', { bubbles: true, cancelable: true })
    // The emulation takes these two from nobody.
    if (!event.cancelable) Object.assign(event, { bubbles: true, cancelable: true })
    request.dispatchEvent(event)
    const isPrevented = event.defaultPrevented || (event as { canceled?: boolean }).canceled === true
    if (!isPrevented) request.transaction?.abort()
  })
}

function silence(target: EventTarget, types: readonly string[]): void {
  for (const type of types) target.addEventListener(type, (event) => event.stopImmediatePropagation())
}

function tellLate(transaction: IDBTransaction, until: Promise<void>): void {
  let isLate = false
  transaction.addEventListener('complete', (event) => {
    if (isLate) return
    event.stopImmediatePropagation()
    void until.then(() => {
      isLate = true
      transaction.dispatchEvent(event_('complete'))
    })
  })
}

/** The opening is undone as soon as it succeeds. */
function silenceOpening(request: IDBOpenDBRequest): void {
  request.addEventListener('upgradeneeded', () => request.transaction?.abort())
  request.addEventListener('success', () => request.result.close())
  silence(request, ['success', 'error', 'upgradeneeded', 'blocked'])
}
