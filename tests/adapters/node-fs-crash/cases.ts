import { acts, type Other, type Place, places, race } from './races.ts'
import { sleepers } from './sleepers.ts'
import { crashes, errors, kills, killsUnsynced, pauses, powerCuts, type Sweep } from './sweep.ts'
import { type Workload, workloads } from './workloads.ts'

export interface CrashCase {
  readonly name: string
  readonly run: () => Promise<Sweep>
}

const sound = workloads.filter(({ faulty }) => faulty !== true)

/** Where another process can begin segment after segment while one is held. */
const rolling = workloads.filter(({ rollAt, processes }) => rollAt < 2 ** 20 && processes > 0)

export const crashCases: readonly CrashCase[] = [
  ...each('power cuts', workloads, powerCuts),
  ...each('crashes', workloads, crashes),
  ...each('errors', workloads, errors),
  ...each('kills with durability process', sound, killsUnsynced),
  ...each('held', rolling, pauses),
  ...sleepers.map(({ name, run }) => ({ name: `sleepers: ${name}`, run: () => single(run) })),
  ...places.map((place) => ({ name: `races: another process comes ${place}`, run: () => races(place) })),
]

/** What killing processes shows of a sound disk, for comparison: it must be blind to what only the sweep sees. */
export const killCases: readonly CrashCase[] = each('kills', sound, kills)

function each(title: string, some: readonly Workload[], run: (workload: Workload) => Promise<Sweep>): CrashCase[] {
  return some.map((workload) => ({ name: `${title}: ${workload.name}`, run: () => run(workload) }))
}

async function single(run: () => Promise<readonly string[]>): Promise<Sweep> {
  return { points: 1, recoveries: 2, problems: [...(await run())] }
}

/** All at once: who meets a seal waits a while for whoever put it there. */
async function races(place: Place): Promise<Sweep> {
  const others: readonly Other[] = place === 'before the append' ? [...acts, 'a seal', 'a roll'] : [...acts, 'a seal']
  const pairs = acts.flatMap((act) => others.map((other) => ({ act, other })))
  const problems = await Promise.all(
    pairs.map(async ({ act, other }) =>
      (await race(act, other, place)).map(
        (problem) => `${act.name} / ${typeof other === 'string' ? other : other.name}: ${problem}`,
      ),
    ),
  )
  return { points: pairs.length, recoveries: 2 * pairs.length, problems: problems.flat() }
}
