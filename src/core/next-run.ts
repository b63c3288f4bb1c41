import type { StorageAdapter } from './storage/contract.ts'

/** When there is work again for these types: now, if some is left; `null` when none waits. */
export async function nextRunAt(
  storage: StorageAdapter,
  types: readonly string[],
  now: number,
): Promise<number | null> {
  const first = async (status: 'pending' | 'scheduled'): Promise<number | undefined> => {
    const where = { type: { in: types }, status: { eq: status } }
    const orderBy = [{ path: ['runAt'], direction: 'asc' }] as const
    const { jobs } = await storage.list({ where, orderBy, limit: 1, after: null, now, payloads: false })
    return jobs[0]?.runAt
  }
  return (await first('pending')) === undefined ? ((await first('scheduled')) ?? null) : now
}
