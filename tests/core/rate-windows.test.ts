import { expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import type { ClaimAnswer, JobRecord, NewJob } from '../../src/core/storage/contract.ts'
import { JobTable, type Snapshot } from '../../src/core/storage/job-table/job-table.ts'
import type { RateWindow } from '../../src/core/storage/job-table/rate-windows.ts'
import type { Change } from '../../src/core/storage/job-table/rows.ts'
import type { LogRecord } from '../../src/core/storage/log.ts'
import { Replica } from '../../src/core/storage/replica.ts'
import { newJob } from '../../src/testing/index.ts'
import { SharedLog, sharedStorage } from '../../src/testing/shared-log.ts'
import { NOW } from './kit-targets.ts'

const PER = 10_000

/** A storage whose type `task` may start two jobs per window, and a window that one start has opened. */
async function opened(count: number) {
  const storage = memory()
  await storage.open()
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  const lanes = [{ type: 'task', limit: { rate: { count, per: PER } } }]
  let claims = 0
  const claim = async (now: number, limit = 10): Promise<readonly JobRecord[]> => {
    const request = { requestId: `${++claims}`, session: 's', now, limit, lanes, have: [], suspects: 'none' } as const
    return (await storage.claim(request)).jobs
  }
  const add = (id: string, due: Partial<NewJob> = {}) =>
    storage.enqueue({ jobs: [newJob({ id, limitKey: '', ...due })], now: NOW })
  await add('opens the window')
  await claim(NOW)
  return { claim, add }
}

const ids = (jobs: readonly JobRecord[]): string[] => jobs.map(({ id }) => id)

test('when a window that was not used up ends, one claim takes all that the next window allows', async () => {
  const { claim, add } = await opened(2)
  await add('a')
  await add('b')
  expect(ids(await claim(NOW + PER))).toEqual(['a', 'b'])
})

test('a job whose time comes while a window is closed does not overtake one that waited for the window', async () => {
  const { claim, add } = await opened(1)
  await add('waits for the window')
  await add('delayed', { runAt: NOW + 7000, delay: 7000 })
  expect(ids(await claim(NOW + PER, 1))).toEqual(['waits for the window'])
})

test('a job that comes after a window has ended does not overtake one that waited for it', async () => {
  const { claim, add } = await opened(1)
  await add('waits for the window')
  await add('comes later', { createdAt: NOW + PER, runAt: NOW + PER })
  expect(ids(await claim(NOW + PER, 1))).toEqual(['waits for the window'])
})

test('starts of several claims add up in a window', async () => {
  const { claim, add } = await opened(3)
  await add('a')
  expect(ids(await claim(NOW + 1))).toEqual(['a'])
  await add('b')
  expect(ids(await claim(NOW + 2))).toEqual(['b'])
  await add('c')
  expect(ids(await claim(NOW + 3))).toEqual([])
})

test('a window that was not used up lets the rest of its starts through', async () => {
  const { claim, add } = await opened(3)
  await add('a')
  await add('b')
  await add('c')
  expect(ids(await claim(NOW + 1))).toEqual(['a', 'b'])
  expect(ids(await claim(NOW + PER))).toEqual(['c'])
})

/** A handle of `log` whose type `task` may start one job per window. Moments count from `NOW`. */
async function handleOf(log: SharedLog, session: string) {
  const storage = sharedStorage(log)
  await storage.open()
  await storage.session({ open: session, leaseDuration: 30_000, now: NOW })
  const close = () => storage.session({ close: session, now: NOW })
  let claims = 0
  const claim = (at: number, { type = 'task' } = {}): Promise<ClaimAnswer> =>
    storage.claim({
      requestId: `${session} ${++claims}`,
      session,
      now: NOW + at,
      monotonic: at,
      limit: 5,
      lanes: [{ type, limit: { rate: { count: 1, per: PER } } }],
      have: [],
      suspects: 'none',
    })
  const starts = async (...claimed: Parameters<typeof claim>): Promise<number> => (await claim(...claimed)).jobs.length
  const add = (count: number) =>
    storage.enqueue({ jobs: Array.from({ length: count }, (_, at) => newJob({ id: `${at}`, limitKey: '' })), now: NOW })
  const prune = (at: number) => storage.prune({ rules: [], spareSince: 0, limit: 10, now: NOW + at })
  return { storage, close, claim, starts, add, prune }
}

/** Where `isOlder`, windows are written as by versions that told neither when nor by whom they were opened. */
class MixedLog extends SharedLog {
  isOlder = false

  override append(record: LogRecord): void {
    super.append(this.isOlder ? { ...record, units: record.units.map((unit) => unit.map(asBefore)) } : record)
  }

  override truncate(): void {
    // The snapshot of a handle would hold its windows as they are written now.
  }
}

function asBefore(change: Change): Change {
  const window = change.to?.['window'] as RateWindow | null | undefined
  if (window == null) return change
  const { since, used, until } = window
  return { ...change, to: { ...change.to, window: { since, used, until } } }
}

test('a window that an older version left ends when it says', async () => {
  const log = new MixedLog()
  const older = await handleOf(log, 'older')
  await older.add(3)
  log.isOlder = true
  expect(await older.starts(0)).toBe(1)
  await older.close()
  log.isOlder = false
  const { claim, starts } = await handleOf(log, 'a')
  const { jobs, nextRunAt } = await claim(4000)
  expect([jobs.length, nextRunAt]).toEqual([0, NOW + PER])
  expect(await starts(PER - 1)).toBe(0)
  expect(await starts(PER)).toBe(1)
})

test('a window that an older version left is removed once it is over', async () => {
  const log = new MixedLog()
  const older = await handleOf(log, 'older')
  await older.add(1)
  log.isOlder = true
  await older.claim(0)
  await older.close()
  await older.storage.amend({ batch: [{ kind: 'cancel', id: '0', reason: 'over' }], now: NOW })
  const { storage, claim, prune } = await handleOf(log, 'a')
  const groups = async () => (await storage.dump()).rows['groups']
  await claim(PER - 1, { type: 'other' })
  await prune(PER - 1)
  expect(await groups()).toBe(1)
  await claim(PER, { type: 'other' })
  await prune(PER)
  expect(await groups()).toBe(0)
})

test('beside an older version no more starts than the rate allows, and hardly any fewer', async () => {
  const log = new MixedLog()
  const older = await handleOf(log, 'older')
  const newer = await handleOf(log, 'newer')
  await older.add(30)
  const started = { older: 0, newer: 0 }
  for (let at = 0; at <= 12 * PER; at += 700) {
    // It has nothing to do with these jobs for a while.
    const isBusy = at > 4 * PER && at < 8 * PER
    log.isOlder = true
    started.older += await older.starts(at, isBusy ? { type: 'other' } : {})
    log.isOlder = false
    started.newer += await newer.starts(at + 300)
    expect(started.older + started.newer).toBeLessThanOrEqual(1 + Math.floor((at + 300) / PER))
  }
  expect(started.older + started.newer).toBeGreaterThanOrEqual(12)
})

test('a claim that is decided again and again still knows when the window before it ended', async () => {
  const log = new SharedLog()
  const { starts: others, add } = await handleOf(log, 'a')
  const { starts } = await handleOf(log, 'b')
  await add(3)
  expect(await others(0)).toBe(1)
  expect(await starts(1000)).toBe(0)
  expect(await starts(PER - 1000)).toBe(0)
  let drops = 2
  log.fault = () => (drops-- > 0 ? 'drop' : null)
  expect(await starts(PER + 1000)).toBe(1)
})

test('windows that refused claims would have opened make none forgotten', async () => {
  const log = new SharedLog()
  const { starts: others, add } = await handleOf(log, 'a')
  const { starts } = await handleOf(log, 'b')
  await add(3)
  expect(await others(0)).toBe(1)
  expect(await starts(1000)).toBe(0)
  log.fault = () => 'refuse'
  for (const at of [3 * PER, 3 * PER + 1, 3 * PER + 2])
    await expect(starts(at)).rejects.toMatchObject({ code: 'HOLDFAST_STORAGE' })
  log.fault = () => null
  expect(await starts(3 * PER + 3)).toBe(1)
})

test('groups that a snapshot no longer has are forgotten', () => {
  const replica = new Replica('replica')
  const window = { since: NOW, used: 1, until: NOW + PER, openedAt: NOW, by: 'a' }
  const row = { version: 1, running: 0, window }
  const snapshotOf = (keys: readonly string[]): Snapshot => ({
    ...new JobTable().snapshot(),
    rows: keys.map((key) => ({ table: 'groups', key, row })),
  })
  const known = (keys: readonly string[]) =>
    keys.filter((key) => replica.table.ready.windows.ends(key, window) < Infinity)
  const look = (at: number) =>
    replica.table.ready.gates.look(
      {
        requestId: `${at}`,
        session: 'b',
        now: NOW + at,
        monotonic: at,
        limit: 0,
        lanes: [],
        have: [],
        suspects: 'none',
      },
      () => false,
    )
  replica.catchUp({ snapshot: snapshotOf(['seen', 'gone', 'not looked at']), records: [] })
  look(0)
  expect(known(['seen', 'gone'])).toEqual(['seen', 'gone'])
  replica.catchUp({ snapshot: snapshotOf(['seen', 'never looked at']), records: [] })
  replica.catchUp({ snapshot: snapshotOf(['seen']), records: [] })
  look(1)
  look(2)
  expect(known(['seen', 'gone', 'never looked at'])).toEqual(['seen'])
})
