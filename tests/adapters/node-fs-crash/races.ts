import { crc32 } from 'node:zlib'
import type { OpenFile } from '../../../src/adapters/node-fs/file-system.ts'
import type { Unit } from '../../../src/core/storage/job-table/rows.ts'
import type { DiskCallName } from '../../../src/testing/index.ts'
import { newJob } from '../../../src/testing/index.ts'
import { allJobs } from '../../core/kit-targets.ts'
import { type Client, completion } from './client.ts'
import { DIRECTORY, Stage } from './stage.ts'
import { survey } from './survey.ts'
import { jobs } from './workloads.ts'

/** One call of a process that has claimed `held`, while `w1` to `w3` wait. */
export interface Act {
  readonly name: string
  readonly run: (client: Client, held: { readonly id: string; readonly fence: number }) => Promise<unknown>
}

const keyed = (id: string) => newJob({ id, payload: id, jobKey: 'key' })

export const acts: readonly Act[] = [
  { name: 'enqueue', run: (client) => client.enqueue(newJob({ id: `of-${sessionOf(client)}` })) },
  { name: 'enqueue the same id', run: (client) => client.enqueue(newJob({ id: 'same' })) },
  { name: 'enqueue a key', run: (client) => client.enqueue(keyed(`keyed-${sessionOf(client)}`)) },
  { name: 'claim all', run: (client) => client.claim(sessionOf(client), 10) },
  { name: 'settle', run: (client, held) => client.settle(completion(held)) },
  { name: 'cancel', run: (client) => client.amend({ kind: 'cancel', id: 'w2', reason: 'left' }) },
  { name: 'remove', run: (client) => client.amend({ kind: 'remove', id: 'w2' }) },
  { name: 'reprioritise', run: (client) => client.amend({ kind: 'reschedule', id: 'w2', priority: 9 }) },
  { name: 'open a session', run: (client) => client.open(`another-${sessionOf(client)}`) },
]

/** Where the other process comes in: before the append, so that it comes first, or right after it. */
export const places = ['before the append', 'before the record is read back'] as const
export type Place = (typeof places)[number]

/** What comes: the record of an act, the end of the segment, or that and the next segment with it. */
export type Other = Act | 'a seal' | 'a roll'

const sessions = new WeakMap<Client, string>()

function sessionOf(client: Client): string {
  return sessions.get(client) ?? 'nobody'
}

/**
 * Lets one process do something while another, which decided on the same state, appends first or next: its record is
 * caught on its way and put into the file at that moment. Answers what went wrong.
 */
export async function race(act: Act, other: Other, place: Place): Promise<readonly string[]> {
  const stage = new Stage(2 ** 22)
  const [one, two] = [await open(stage, 'one'), await open(stage, 'two')]
  await one.enqueue(...jobs('w', 4), keyed('holder'))
  const held = await one.claim('one', 1)
  const job = held[0]
  if (job === undefined) throw new Error('Nothing was claimed')
  if (other === 'a seal') await inject(stage, one, seal(), place)
  else if (other === 'a roll') await injectRoll(stage, one)
  else {
    const line = await caught(two, () => other.run(two, job))
    // What comes second may be void.
    if (line !== null && place === 'before the append') note(stage, line)
    if (line !== null) await inject(stage, one, line, place)
  }
  await act.run(one, job)
  one.process.before = () => undefined
  await one.catchUp()
  const problems = stage.ledger.check(await allJobs(one.storage)).map((problem) => `still running: ${problem}`)
  problems.push(...(await survey(stage.copy())).map((problem) => `opened anew: ${problem}`))
  problems.push(...(await survey(stage.after('lost', 1))).map((problem) => `after a power cut: ${problem}`))
  await stage.close()
  return problems
}

async function open(stage: Stage, session: string): Promise<Client> {
  const client = await stage.open()
  if (client === null) throw new Error('The directory cannot be opened')
  sessions.set(client, session)
  await client.open(session)
  return client
}

/** What a process would have appended; it ends there. `null`: nothing. */
async function caught(client: Client, run: () => Promise<unknown>): Promise<Uint8Array | null> {
  await client.catchUp()
  let line: Uint8Array | null = null
  client.process.fault = ({ name, data }) => {
    if (name !== 'append') return null
    line = Uint8Array.from(data ?? [])
    return 'crash'
  }
  await run()
  return line
}

/** Fences and epochs in a record that will be in the log are taken. */
function note(stage: Stage, line: Uint8Array): void {
  const { units } = JSON.parse(new TextDecoder().decode(line).slice(10)) as { units: readonly Unit[] }
  for (const { table, key, to } of units.flat()) {
    if (table === 'jobs' && typeof to?.['fence'] === 'number') stage.ledger.started({ id: key, fence: to['fence'] })
    if (table === 'meta' && key === 'epoch') stage.ledger.opened(to?.['value'] as number)
  }
}

/** The journal's format as its README gives it. */
function seal(): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ kind: 'seal', by: 'somebody' }))
  const sum = crc32(json).toString(16).padStart(8, '0')
  return new Uint8Array([...new TextEncoder().encode(`\n${sum} `), ...json])
}

async function inject(stage: Stage, { process }: Client, line: Uint8Array, place: Place): Promise<void> {
  let appended = false
  let file: OpenFile | null = await stage.disk.process().open(stage.segmentPath, { create: false })
  const due = (name: DiskCallName): boolean => (place === 'before the append' ? name === 'append' : appended)
  process.before = ({ name }) => {
    if (file !== null && due(name)) {
      file.append(line)
      file = null
    }
    appended ||= name === 'append'
  }
}

/** Somebody seals the segment and publishes the next: as it happened on a copy of the disk, at that very moment. */
async function injectRoll(stage: Stage, { process }: Client): Promise<void> {
  const path = stage.segmentPath
  const { length } = stage.disk.content(path)
  const elsewhere = new Stage(1, stage.disk.copy())
  await (await elsewhere.open())?.catchUp()
  await elsewhere.close()
  const roller = stage.disk.process()
  const file = await roller.open(path, { create: false })
  const prepared = await roller.open(`${DIRECTORY}/prepared`, { create: true })
  prepared.append(elsewhere.disk.content(elsewhere.segmentPath))
  await prepared.sync()
  process.before = ({ name }) => {
    if (name !== 'append') return
    process.before = () => undefined
    file.append(elsewhere.disk.content(path).subarray(length))
    void roller.link(`${DIRECTORY}/prepared`, elsewhere.segmentPath)
  }
}
