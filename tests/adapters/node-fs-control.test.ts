// Serial queues, limits and keys, held by two processes whose clocks are hours apart while one after the other is killed:
// what their handlers did is noted outside of the storage.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeFs } from '../../src/adapters/node-fs/index.ts'
import { type Job, type JobQueue, openQueue } from '../../src/index.ts'
import { Holders, type Line, linesIn, MOST_OF_TENANT, note, PACE, PER, STARTS } from './node-fs/control-ledger.mjs'

const program = fileURLToPath(new URL('node-fs/control-program.mjs', import.meta.url))
const HOUR = 3_600_000

/** How many processes are killed while they hold a place in a serial queue and in a limit. */
const KILLS = 4
const TIMEOUT = 120_000

interface Member {
  readonly who: string
  readonly process: ChildProcess
}

let home: string
const members: Member[] = []

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-control-'))
})
afterEach(async () => {
  for (const member of [...members]) await end(member)
  rmSync(home, { recursive: true, force: true })
})

const ledger = (): string => join(home, 'ledger')

function begin(who: string, ahead: number): void {
  const role = JSON.stringify({ who, directory: join(home, 'jobs'), ledger: ledger(), ahead })
  members.push({ who, process: fork(program, [role]) })
}

/** kill -9 */
async function end(member: Member): Promise<void> {
  members.splice(members.indexOf(member), 1)
  const { process } = member
  if (process.exitCode !== null || process.signalCode !== null) return
  const exited = once(process, 'exit')
  process.kill('SIGKILL')
  await exited
}

/** Kills a member while it runs one of a serial queue and one of a limit. Asked meanwhile: who holds the keys. */
async function kill(member: Member, look: () => Promise<void>): Promise<void> {
  const hasAll = (): boolean => {
    const holders = new Holders(linesIn(ledger()))
    return holders.ranBy.get(PACE)?.has(member.who) === true && holders.holdsBoth(member.who)
  }
  while (!hasAll()) {
    expect(member.process.exitCode).toBeNull()
    await look()
  }
  // Before it, not after: others may have what it held as soon as it is dead.
  note(ledger(), { what: 'killing', who: member.who })
  await end(member)
}

async function listed(queue: JobQueue): Promise<Job[]> {
  const jobs: Job[] = []
  for await (const job of queue.list({ where: { type: { eq: 'list' } } })) jobs.push(job)
  return jobs
}

/** Keys with more than one holder, in one look. */
async function sharedKeys(queue: JobQueue): Promise<string[]> {
  const where = {
    jobKey: { in: ['key 0', 'key 1'] },
    status: { in: ['pending', 'scheduled', 'running', 'failed'] },
  } as const
  const { jobs } = await queue.list({ where }).page({ size: 1000 })
  const keys = jobs.map(({ jobKey }) => String(jobKey))
  return keys.filter((key, at) => keys.indexOf(key) !== at)
}

test(
  'under kill -9, with clocks hours apart: one of a serial queue runs, no more than a limit allows, a key has one holder',
  async () => {
    const queue = await openQueue({ storage: nodeFs({ directory: join(home, 'jobs') }) })
    note(ledger(), { what: 'begin', who: 'test' })
    await queue.enqueueMany(Array.from({ length: 3000 }, () => ({ job: PACE, payload: { thing: PACE, takes: 1 } })))
    const shared: string[] = []
    const look = async (): Promise<void> => {
      shared.push(...(await sharedKeys(queue)))
      await sleep(20)
    }
    begin('p0', 3 * HOUR)
    begin('p1', -3 * HOUR)
    for (let killed = 0; new Holders(linesIn(ledger())).deaths < KILLS; killed++) {
      const [oldest] = members
      if (oldest === undefined) throw new Error('Nobody is left')
      await kill(oldest, look)
      // Whoever comes has the clock of the one that has gone.
      begin(`p${killed + 2}`, killed % 2 === 0 ? 3 * HOUR : -3 * HOUR)
    }

    const rest: string[] = []
    for await (const { id } of queue.list({ where: { type: { eq: PACE }, status: { eq: 'pending' } } })) rest.push(id)
    await queue.remove(rest)
    const ends = members.map(async ({ process }) => {
      const [code] = (await once(process, 'exit')) as [number]
      return code
    })
    for (const { process } of members) process.send('finish')
    expect(await Promise.all(ends)).toEqual([0, 0])

    const lines = linesIn(ledger())
    const { problems, ranBy, full } = new Holders(lines)
    expect([problems, shared]).toEqual([[], []])
    // Each of these happened, or nothing was shown.
    for (const thing of ['line 0', 'line 1', 'tenant 0', 'tenant 1', PACE])
      expect([thing, (ranBy.get(thing)?.size ?? 0) > 1]).toEqual([thing, true])
    expect([...full].sort()).toEqual(['line 0', 'line 1', 'tenant 0', 'tenant 1'])

    const told = (what: Line['what']): string[] =>
      lines.filter((line) => line.what === what).map(({ id }) => String(id))
    for (const id of told('enqueued')) expect((await queue.get(id))?.status).toBe('completed')
    const items = (await listed(queue)).flatMap(({ payload }) => payload as string[])
    expect(items.length).toBe(new Set(items).size)
    expect(told('collected').filter((item) => !items.includes(item))).toEqual([])
    await queue.close()
  },
  TIMEOUT,
)

describe('what the processes noted', () => {
  const start = (who: string, id: string, thing: string, at = 0): Line => ({ what: 'start', who, id, thing, at })
  const over = (who: string, id: string): Line => ({ what: 'end', who, id, at: 0 })
  const killing = (who: string): Line => ({ what: 'killing', who, at: 0 })
  const tenants = Array.from({ length: MOST_OF_TENANT + 1 }, (_, at) => start('a', `${at}`, 'tenant 0'))
  const pace = (count: number, at: number): Line[] =>
    Array.from({ length: count }, (_, number) => start('a', `${number}`, PACE, at))

  test.each<[string, Line[]]>([
    ['one after the other', [start('a', '1', 'line 0'), over('a', '1'), start('b', '2', 'line 0')]],
    ['one of each', [start('a', '1', 'line 0'), start('b', '2', 'line 1'), ...tenants.slice(1)]],
    ['one after the death of another', [start('a', '1', 'line 0'), killing('a'), start('b', '1', 'line 0')]],
    ['what a process starts while it dies', [killing('a'), start('a', '1', 'line 0'), start('b', '1', 'line 0')]],
    ['as many as a window allows', [...pace(STARTS, 0), ...pace(STARTS, PER)]],
  ])('is right: %s', (_, lines) => expect(new Holders(lines).problems).toEqual([]))

  test.each<[string, Line[]]>([
    ['two of a line', [start('a', '1', 'line 0'), start('b', '2', 'line 0')]],
    ['one that both run', [start('a', '1', 'line 0'), start('b', '1', 'line 0')]],
    ['too many of a tenant', tenants],
    ['beside one that was not killed', [start('a', '1', 'line 0'), killing('b'), start('c', '2', 'line 0')]],
    ['more than a window allows', pace(STARTS + 1, PER - 1)],
  ])('is wrong: %s', (_, lines) => expect(new Holders(lines).problems).toHaveLength(1))
})
