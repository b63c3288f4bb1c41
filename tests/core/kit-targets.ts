import { memory } from '../../src/adapters/memory/index.ts'
import type { JobRecord, StorageAdapter } from '../../src/core/storage/contract.ts'
import { type Fault, newJob, SharedLog, sharedStorage, type StorageUnderTest } from '../../src/testing/index.ts'

/** The storages in memory, as the conformance kit takes them. */
export const memoryTarget: StorageUnderTest = {
  name: 'memory',
  offers: ['structured-clone'],
  create: async () => ({ handle: async () => memory(), destroy: async () => undefined }),
}

/** Handles on one log that goes wrong as `faulty` says: asked anew for each storage, so that counts begin anew too. */
export function sharedTarget(
  name: string,
  faulty: (log: SharedLog) => Promise<() => Fault | null> = async () => () => null,
): StorageUnderTest {
  return {
    name,
    offers: ['two handles', 'structured-clone'],
    create: async () => {
      const log = new SharedLog()
      log.fault = await faulty(log)
      return { handle: async () => sharedStorage(log), destroy: async () => undefined }
    },
  }
}

/** Every payload stands outside the table. */
export async function shelved(log: SharedLog): Promise<() => Fault | null> {
  log.keepsPayloadsAbove = -1
  return () => null
}

/** Every n-th append suffers the fault. */
export function every(n: number, fault: Fault): () => Promise<() => Fault | null> {
  return async () => {
    let appends = 0
    return () => (++appends % n === 0 ? fault : null)
  }
}

/** Appends take their time: whoever writes at the same moment may come first. */
export async function slow(): Promise<() => Fault | null> {
  return () => 'overtake'
}

/** What another handle does in one flush: in the end nobody can see it. */
export type Interference = (storage: StorageAdapter, n: number) => Promise<unknown>

/** A job that comes and goes: in nobody's way, but every sequence and version after it is another. */
export const passing: Interference = (storage, n) =>
  Promise.all([
    storage.enqueue({ jobs: [newJob({ id: `passing-${n}`, type: 'unrelated' })], now: NOW }),
    storage.amend({ batch: [{ kind: 'remove', id: `passing-${n}` }], now: NOW }),
  ])

/** A pause that is lifted at once: every claim that was decided before must be decided again. */
export const contending: Interference = (storage) =>
  Promise.all([true, false].map((paused) => storage.pause({ scope: { type: 'unrelated' }, paused })))

/** Every n-th append is overtaken by another handle's record. */
export function overtaken(n: number, interfere: Interference): (log: SharedLog) => Promise<() => Fault | null> {
  return async (log) => {
    const other = sharedStorage(log)
    await other.open()
    let appends = 0
    let times = 0
    let othersTurn = false
    log.interfere = () => {
      othersTurn = true
      void interfere(other, ++times).finally(() => (othersTurn = false))
    }
    return () => (!othersTurn && ++appends % n === 0 ? 'overtake' : null)
  }
}

/** When the tests of storages take place. */
export const NOW = 1_800_000_000_000

/** All jobs of a storage, in the order of enqueues. */
export async function allJobs(storage: StorageAdapter): Promise<readonly JobRecord[]> {
  const orderBy = { field: 'createdAt', direction: 'asc' } as const
  return (await storage.list({ where: {}, orderBy, limit: 100_000, after: null, now: NOW })).jobs
}
