// What the platform offers, without holdfast: to show that the tests around it see what happens to a browser.

const STORE = 'values'

/** Resolves when the transaction is complete. */
export async function put(key: string, value: string, durability: IDBTransactionDurability): Promise<void> {
  const transaction = (await database()).transaction(STORE, 'readwrite', { durability })
  transaction.objectStore(STORE).put(value, key)
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
  })
}

/** The keys of all values. */
export async function keys(): Promise<string[]> {
  const request = (await database()).transaction(STORE).objectStore(STORE).getAllKeys()
  return (await settled(request)) as string[]
}

/** Takes a lock and holds it for as long as the page lives. */
export async function hold(name: string): Promise<void> {
  await new Promise<void>((resolve) => {
    void navigator.locks.request(name, () => {
      resolve()
      return new Promise(() => undefined)
    })
  })
}

/** Resolves when the lock was free. */
export async function acquire(name: string): Promise<void> {
  await navigator.locks.request(name, () => undefined)
}

/** Says again and again that it is alive, to the server: the page itself, and a worker of its own. */
export function tick(): void {
  setInterval(() => void fetch('/tick', { method: 'POST', body: 'page' }), 100)
  new Worker('/ticker.js', { type: 'module' })
}

/** Whether a text runs as code. */
export function evaluates(text: string): boolean {
  try {
    return globalThis.eval(text) !== undefined
  } catch {
    return false
  }
}

export async function tell(path: string, text: string): Promise<string> {
  return (await fetch(path, { method: 'POST', body: text })).text()
}

function database(): Promise<IDBDatabase> {
  const request = indexedDB.open('raw', 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return settled(request)
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('failed'))
  })
}
