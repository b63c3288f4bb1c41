import type { DiskCall, DiskCallName, DiskFault, Persistence } from '../../../src/testing/index.ts'
import { allJobs } from '../../core/kit-targets.ts'
import { beginSegments } from './sleepers.ts'
import { type Durability, Stage, trap } from './stage.ts'
import { glance, survey } from './survey.ts'
import { jobs, type Workload } from './workloads.ts'

/** What a sweep did, so that a test can see that it did something. */
export interface Sweep {
  /** Calls at which something went wrong. */
  points: number
  /** Disks that were opened afterwards. */
  recoveries: number
  /** Each with what it takes to see it again. */
  readonly problems: string[]
}

export const PERSISTENCE: readonly Persistence[] = ['lost', 'prefix', 'torn', 'reordered']

/** A program that has an answer to wait for has it by then. Ticks: however long a machine stands still, that is one. */
const PATIENCE = 1000
const TICK = 10

/** Runs under way at the same time: they wait for timers of their own now and then. */
const AT_ONCE = 64

/** The power is cut at each call, and the disk comes back in each of the ways it may. */
export function powerCuts(workload: Workload): Promise<Sweep> {
  return sweep(
    workload,
    () => 'power cut',
    async (stage, n) => {
      const reports: string[] = []
      for (const [at, persistence] of PERSISTENCE.entries()) {
        const seed = n * PERSISTENCE.length + at
        const after = stage.after(persistence, seed)
        const problems = [...(await survey(after))]
        // What the survey itself was told has to stand as well.
        if (problems.length === 0 && persistence !== 'prefix')
          problems.push(...(await glance(after.after('lost', seed))))
        reports.push(...problems.map((problem) => `${persistence}, seed ${seed}: ${problem}`))
      }
      return { reports, recoveries: PERSISTENCE.length }
    },
  )
}

/** A process ends at each call, and half way through each append. Others go on, and a cut finds what they were told. */
export async function crashes(workload: Workload): Promise<Sweep> {
  return sum(
    await sweep(workload, () => 'crash', afterwards),
    await sweep(workload, ({ name }) => (name === 'append' ? 'crash midway' : null), afterwards),
  )
}

/** As `crashes`, without any power cut: all that a test which kills processes can see. */
export function kills(workload: Workload): Promise<Sweep> {
  return sweep(workload, () => 'crash', elsewhere)
}

/** A process ends at each call, and half way through each append, and nothing was synced for those who called it. */
export async function killsUnsynced(workload: Workload): Promise<Sweep> {
  return sum(
    await sweep(workload, () => 'crash', elsewhere, 'process'),
    await sweep(workload, ({ name }) => (name === 'append' ? 'crash midway' : null), elsewhere, 'process'),
  )
}

/** What may go wrong at a call other than `EIO`, which may at any. */
const OTHER_ERRORS: { readonly [Name in DiskCallName]?: readonly DiskFault[] } = {
  append: ['short write', 'ENOSPC'],
  open: ['EMFILE', 'ENOSPC', 'EPERM'],
  list: ['EMFILE'],
  link: ['EPERM', 'ENOSPC'],
  rename: ['EPERM'],
  remove: ['EPERM'],
  watch: ['ENOSPC', 'EMFILE'],
  sync: ['ENOSPC'],
  syncFolder: ['EMFILE'],
}

/** Each call fails once with `EIO`, and once in one of the other ways it may; the program goes on. */
export async function errors(workload: Workload): Promise<Sweep> {
  return sum(await sweep(workload, () => 'EIO', oneOrOther), await sweep(workload, otherError, oneOrOther))
}

function sum(...sweeps: readonly Sweep[]): Sweep {
  return {
    points: sweeps.reduce((total, { points }) => total + points, 0),
    recoveries: sweeps.reduce((total, { recoveries }) => total + recoveries, 0),
    problems: sweeps.flatMap(({ problems }) => problems),
  }
}

function otherError({ name, number }: DiskCall): DiskFault | null {
  const faults = OTHER_ERRORS[name] ?? []
  return faults[number % faults.length] ?? null
}

/** The first process is held at each call that can be held, while another begins segment after segment. */
export async function pauses(workload: Workload): Promise<Sweep> {
  const run = async (origin: Stage, n: number): Promise<Run> => {
    const stage = origin.copy()
    await openAll(stage, workload.processes + 1)
    const held = hold(stage, n)
    const problems = await inTime(
      workload.run(stage).then(() => []),
      LATE.reports,
    )
    return { stage, sprung: held.sprung, place: `held ${n}`, problems }
  }
  return inBatches(workload, run, afterwards)
}

interface Run {
  readonly stage: Stage
  readonly sprung: string | null
  /** What the disk and the callers had seen by then. */
  readonly place: string
  readonly problems: readonly string[]
}

const NOTHING = { reports: [], recoveries: 0 }
const LATE = { reports: ['no answer'], recoveries: 0 }

/** A sweep that found as much is broken off. */
const ENOUGH = 50

type Check = (stage: Stage, n: number) => Promise<{ readonly reports: readonly string[]; readonly recoveries: number }>

function sweep(
  workload: Workload,
  faultAt: (call: DiskCall) => DiskFault | null,
  check: Check,
  durability?: Durability,
): Promise<Sweep> {
  const run = async (origin: Stage, n: number): Promise<Run> => {
    const stage = origin.copy()
    await openAll(stage, workload.processes)
    const trapped = trap(n, faultAt)
    let told = 0
    stage.disk.fault = (call) => {
      if (trapped.sprung === null) told = stage.ledger.answers
      return trapped.spring(call)
    }
    const problems = await inTime(
      workload.run(stage).then(() => []),
      LATE.reports,
    )
    stage.disk.fault = () => null
    const { sprung, place } = trapped
    // Where the workload's own faults come in, calls alone do not tell what the disk has been through.
    const known = place !== null && workload.faulty !== true
    return { stage, sprung, place: known ? `${told}${place}` : `call ${n}`, problems }
  }
  return inBatches(workload, run, check, durability)
}

/** Runs for n = 1, 2, … until the workload comes to its end without an n-th call. */
async function inBatches(
  workload: Workload,
  run: (origin: Stage, n: number) => Promise<Run>,
  check: Check,
  durability?: Durability,
): Promise<Sweep> {
  const sweep: Sweep = { points: 0, recoveries: 0, problems: [] }
  const origin = await prepare(workload, durability)
  const places = new Set<string>()
  let next = 1
  let ended = false
  const worker = async (): Promise<void> => {
    while (!ended) {
      const n = next++
      const { stage, sprung, place, problems } = await run(origin, n)
      if (sprung !== null) {
        // Before a call that only looks everything is as it is before the next one: that is looked into once.
        const known = places.has(place)
        places.add(place)
        const { reports, recoveries } = known ? NOTHING : await inTime(check(stage, n), LATE)
        sweep.points += 1
        sweep.recoveries += recoveries
        sweep.problems.push(...[...problems, ...reports].map((problem) => `${sprung}: ${problem}`))
      } else {
        ended = true
        sweep.problems.push(...problems.map((problem) => `without a fault: ${problem}`))
      }
      ended ||= sweep.problems.length >= ENOUGH
      void stage.close()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return sweep
}

/** What stands on the disk before, once for all runs: each gets a copy. */
async function prepare(workload: Workload, durability?: Durability): Promise<Stage> {
  const stage = new Stage(workload.rollAt, undefined, undefined, durability)
  if (workload.before === undefined) return stage
  await openAll(stage, Math.min(1, workload.processes))
  await workload.before(stage)
  const origin = stage.copy()
  await stage.close()
  return origin
}

async function openAll(stage: Stage, processes: number): Promise<void> {
  for (let at = 0; at < processes; at++)
    if ((await stage.open()) === null) throw new Error('The directory cannot be opened, although nothing is wrong')
}

/** Where all processes are gone, and the machine is not. */
async function elsewhere(stage: Stage): ReturnType<Check> {
  return { reports: await survey(stage.copy()), recoveries: 1 }
}

/** When the run is over: who is still there agrees with the ledger, and so does who comes later, and after a cut. */
async function afterwards(stage: Stage, n: number): ReturnType<Check> {
  const reports = [...(await stillRunning(stage)), ...(await afterCut(stage, n)), ...(await openedAnew(stage, n))]
  return { reports, recoveries: 3 }
}

/** As `afterwards`, but the cut at every other call: there are many errors, and their neighbours are alike. */
async function oneOrOther(stage: Stage, n: number): ReturnType<Check> {
  const later = n % 2 === 0 ? await afterCut(stage, n) : await openedAnew(stage, n)
  return { reports: [...(await stillRunning(stage)), ...later], recoveries: 1 + (n % 2) }
}

async function stillRunning(stage: Stage): Promise<readonly string[]> {
  const reports: string[] = []
  for (const client of stage.clients.filter(({ process }) => !process.gone)) {
    await client.catchUp()
    reports.push(...stage.ledger.check(await allJobs(client.storage)).map((problem) => `still running: ${problem}`))
  }
  return reports
}

async function afterCut(stage: Stage, seed: number): Promise<readonly string[]> {
  return (await survey(stage.after('lost', seed))).map((problem) => `lost, seed ${seed}: ${problem}`)
}

/** What a process answers out of what it found has to be as durable as what it wrote. */
async function openedAnew(stage: Stage, seed: number): Promise<readonly string[]> {
  const anew = stage.copy()
  const problems = (await survey(anew)).map((problem) => `opened anew: ${problem}`)
  return problems.length > 0 ? problems : glance(anew.after('lost', seed))
}

function hold(stage: Stage, n: number): { sprung: string | null } {
  const [{ process }, other] = [stage.client(0), stage.client(stage.clients.length - 1)]
  const held = { sprung: null as string | null }
  let seen = 0
  process.before = ({ name, path }) => {
    if (['stat', 'read', 'append', 'watch'].includes(name) || ++seen !== n) return undefined
    held.sprung = `held at call ${n} (${name} ${path})`
    return comeFar(stage, other, n)
  }
  return held
}

async function comeFar(stage: Stage, other: Stage['clients'][number], n: number): Promise<void> {
  await beginSegments(stage, other, stage.segment + 3)
  await other.enqueue(...jobs(`lasting${n}-`, 1))
}

/** Answers `late` when work takes for ever. */
async function inTime<Answer>(work: Promise<Answer>, late: Answer): Promise<Answer> {
  let ticks = 0
  let timer: ReturnType<typeof setInterval> | undefined
  const timeout = new Promise<Answer>((resolve) => {
    timer = setInterval(() => ++ticks === PATIENCE && resolve(late), TICK)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearInterval(timer)
  }
}
