import type { DiskCall, SimulatedProcess } from '../../../src/testing/index.ts'
import type { Client } from './client.ts'
import { DIRECTORY, Stage } from './stage.ts'
import { survey } from './survey.ts'
import { busy, jobs } from './workloads.ts'

/** A handful of records. */
const TINY = 1500

/** Processes that sleep at the worst moment, for as long as others take to come far. Each answers what went wrong. */
export const sleepers: readonly { readonly name: string; readonly run: () => Promise<readonly string[]> }[] = [
  { name: 'a name that was retired stays taken', run: republishing },
  { name: 'a name that is free again is not given', run: () => outsleeping('open') },
  { name: 'a name that is free again is not given to a file of long ago', run: () => outsleeping('link') },
  { name: 'a segment that was removed by hand is not made again', run: removedByHand },
]

/**
 * One is about to prepare segment 2 when it falls asleep; another has seen that name and falls asleep before it opens the
 * file. Meanwhile 2 was published by somebody else, left behind and retired. If the name were free by now, the
 * first would publish a table of long ago there, and the second would go on from it.
 */
async function republishing(): Promise<readonly string[]> {
  const stage = new Stage(TINY)
  const [one, other] = [await opened(stage), await opened(stage)]
  const publishing = asleep(one.process, ({ name, path }) => name === 'open' && isTemporary(path, 2))
  const working = busy(one, 'one', 8)
  await publishing.begins
  while (stage.segment < 2) await other.enqueue(...jobs('other', 1))
  const late = stage.disk.process()
  const opening = asleep(late, ({ name, path }) => name === 'open' && isSegment(path, 2))
  const client = stage.open(late)
  await opening.begins
  await beginSegments(stage, other, 5)
  publishing.wake()
  await working
  opening.wake()
  await (await client)?.enqueue(...jobs('late', 2))
  return checked(stage)
}

/**
 * One falls asleep as it prepares segment 2, or has prepared it, until not even the tombstone of that segment is left.
 */
async function outsleeping(call: 'open' | 'link'): Promise<readonly string[]> {
  const stage = new Stage(TINY)
  const [one, other] = [await opened(stage), await opened(stage)]
  const publishing = asleep(
    one.process,
    ({ name, path }) => name === call && (isTemporary(path, 2) || isSegment(path, 2)),
  )
  const working = busy(one, 'one', 8)
  await publishing.begins
  await beginSegments(stage, other, 105)
  const names = await stage.disk.process().list(DIRECTORY)
  if (names.some((name) => isSegment(`${DIRECTORY}/${name}`, 2))) return ['the name was not free again']
  publishing.wake()
  await working
  await one.enqueue(...jobs('late', 2))
  return checked(stage)
}

/** Who has seen a name and finds no file there has to look again, and never to make one. */
async function removedByHand(): Promise<readonly string[]> {
  const before = new Stage(TINY)
  await opened(before)
  // Nobody was promised anything by that journal.
  const stage = new Stage(TINY, before.disk.copy())
  const late = stage.disk.process()
  const opening = asleep(late, ({ name, path }) => name === 'open' && isSegment(path, 1))
  const client = stage.open(late)
  await opening.begins
  await stage.disk.process().remove(stage.segmentPath)
  opening.wake()
  const found = await client
  if (found === null) return ['it cannot be opened']
  await found.enqueue(...jobs('late', 2))
  return checked(stage)
}

async function checked(stage: Stage): Promise<readonly string[]> {
  const problems = [...(await survey(stage.copy())), ...(await survey(stage.after('lost', 1)))]
  await stage.close()
  return problems
}

async function opened(stage: Stage): Promise<Client> {
  const client = await stage.open()
  if (client === null) throw new Error('The directory cannot be opened, although nothing is wrong')
  return client
}

/** Lets a process begin segments until `number`, and leave the table about as it was. */
export async function beginSegments(stage: Stage, client: Client, number: number): Promise<void> {
  for (let at = 0; at < 20 * number && stage.segment < number; at++) {
    const passing = jobs(`passing${number}-${at}-`, 3)
    await client.enqueue(...passing)
    await client.amend(...passing.map(({ id }) => ({ kind: 'remove' as const, id })))
  }
}

/** Holds the first call that `is` means. */
function asleep(
  process: SimulatedProcess,
  is: (call: DiskCall) => boolean,
): { readonly begins: Promise<void>; readonly wake: () => void } {
  let wake: () => void = () => undefined
  const sleep = new Promise<void>((resolve) => (wake = resolve))
  const begins = new Promise<void>((resolve) => {
    process.before = (call) => {
      if (!is(call)) return undefined
      process.before = () => undefined
      resolve()
      return sleep
    }
  })
  return { begins, wake }
}

function isSegment(path: string, number: number): boolean {
  return path.endsWith('.journal') && numberOf(path) === number
}

function isTemporary(path: string, number: number): boolean {
  return path.endsWith('.tmp') && numberOf(path) === number
}

function numberOf(path: string): number {
  return Number.parseInt(path.slice(DIRECTORY.length + 1), 10)
}
