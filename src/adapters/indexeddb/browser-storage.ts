import type { StorageStatus } from '../../core/storage/contract.ts'

/** `navigator.storage`, as far as it is used. WebKitGTK has no `estimate`; insecure origins have nothing. */
export interface BrowserStorage {
  persisted?(): Promise<boolean>
  persist?(): Promise<boolean>
  estimate?(): Promise<{ readonly usage?: number; readonly quota?: number }>
}

export async function statusOf(storage: BrowserStorage | undefined): Promise<StorageStatus> {
  const [persisted, estimate] = await Promise.all([
    orNull(() => storage?.persisted?.()),
    orNull(() => storage?.estimate?.()),
  ])
  return { persisted, usage: estimate?.usage ?? null, quota: estimate?.quota ?? null }
}

/** `null`: the browser cannot be asked. */
export function requestPersistence(storage: BrowserStorage | undefined): Promise<boolean | null> {
  return orNull(() => storage?.persist?.())
}

/** Browsers that have the function may still refuse to answer. */
async function orNull<Value>(ask: () => Promise<Value> | undefined): Promise<Value | null> {
  try {
    return (await ask()) ?? null
  } catch {
    return null
  }
}
