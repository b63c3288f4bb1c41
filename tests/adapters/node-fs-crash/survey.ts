import type { JobRecord } from '../../../src/core/storage/contract.ts'
import { newJob } from '../../../src/testing/index.ts'
import { allJobs, NOW } from '../../core/kit-targets.ts'
import { type Client, completion } from './client.ts'
import type { Stage } from './stage.ts'

const SESSION = 'survey'

/**
 * Opens a disk with two fresh handles and answers what is wrong there: what was acknowledged and is not there or not
 * equal, what nobody asked for, two handles that differ, a fence or an epoch that was used before, a storage that does
 * not work, files left open. `stage` is used up.
 */
export async function survey(stage: Stage): Promise<readonly string[]> {
  const { ledger, disk } = stage
  const first = await stage.open()
  const second = await stage.open()
  if (first === null || second === null) return [...ledger.problems, 'it cannot be opened']
  const problems = [...ledger.check(await allJobs(first.storage)), ...ledger.checkPauses(await pausedTypes(first))]
  await compare(first, second, problems)
  await work(first, second, problems)
  await first.catchUp()
  await compare(first, second, problems)
  problems.push(...ledger.check(await allJobs(second.storage)))
  await stage.close()
  for (const { process } of [first, second])
    if (process.openFiles > 0) problems.push(`${process.openFiles} files left open`)
  if (disk.off) problems.push('the survey was interrupted')
  return [...ledger.problems, ...problems]
}

/** Only what is there and whether it opens: for a second power cut after a survey. */
export async function glance(stage: Stage): Promise<readonly string[]> {
  const client = await stage.open()
  if (client === null) return ['after a second power cut it cannot be opened']
  const { ledger } = stage
  const problems = [...ledger.check(await allJobs(client.storage)), ...ledger.checkPauses(await pausedTypes(client))]
  await stage.close()
  return [...stage.ledger.problems, ...problems.map((problem) => `after a second power cut ${problem}`)]
}

/** The storage does what it is for: a job enqueued by one handle and all others are run by the other. */
async function work(first: Client, second: Client, problems: string[]): Promise<void> {
  if (!(await first.enqueue(newJob({ id: 'probe' })))) problems.push('an enqueue is refused')
  for (const { id } of await second.storage.sessions()) await second.storage.session({ close: id, now: NOW })
  if (!(await second.open(SESSION))) problems.push('a session is refused')
  const started = [...(await second.claim(SESSION, 10_000)), ...(await second.claim(SESSION, 10_000, 'only'))]
  for (const job of started) second.ledger.startedLast(job)
  if (!started.some(({ id }) => id === 'probe')) problems.push('a job of one handle cannot be claimed by the other')
  const verdicts = await second.settle(...started.map((job) => completion(job)))
  if (!verdicts?.every((verdict) => verdict === 'ok')) problems.push(`outcomes are refused: ${String(verdicts)}`)
  const left = (await allJobs(second.storage)).filter(isLive)
  if (left.length > 0) problems.push(`${left.length} jobs cannot be claimed, ${left[0]?.id} is ${left[0]?.state}`)
}

async function compare(first: Client, second: Client, problems: string[]): Promise<void> {
  const [one, other] = await Promise.all([digest(first), digest(second)])
  const at = one.findIndex((line, index) => line !== other[index])
  if (at !== -1) problems.push(`two handles differ: ${one[at]?.slice(0, 200)} / ${other[at]?.slice(0, 200)}`)
  else if (one.length !== other.length) problems.push(`two handles differ: ${one.length} / ${other.length} rows`)
}

async function pausedTypes({ storage }: Client): Promise<readonly string[]> {
  return (await storage.pauses()).flatMap((scope) => ('type' in scope ? scope.type : []))
}

async function digest({ storage }: Client): Promise<readonly string[]> {
  const rows = [...(await allJobs(storage)), ...(await storage.sessions()), ...(await storage.pauses())]
  return rows.map((row) => JSON.stringify(row))
}

function isLive({ state }: JobRecord): boolean {
  return state === 'waiting' || state === 'running'
}
