// A rate of 100 starts per second, held by three processes together on one folder, over 60 s. Counted from the middle of
// a window: on its border, chance would decide whether the starts of one more are in.
import { inFolder, openFolder, Process } from './node-fs-place.mjs'
import { fill, limited, report, whole } from './work.mjs'

const PROCESSES = 3
const SECONDS = 60
const PER_SECOND = 100
const OFF = 0.02

const starts = await inFolder(async (folder) => {
  const queue = await openFolder(folder)
  await fill(queue, (SECONDS + 5) * PER_SECOND, () => ({}), limited)
  const processes = Array.from({ length: PROCESSES }, () => new Process('starts', folder))
  await Promise.all(processes.map((process) => process.says()))
  const said = processes.map((process) => process.says())
  for (const process of processes) process.tell((SECONDS + 2) * 1000)
  const each = await Promise.all(said)
  await Promise.all(processes.map((process) => process.stop()))
  await queue.close()
  return each
})
const all = starts.flat().sort((a, b) => a - b)
const from = (all[0] ?? 0) + 500
const within = all.filter((moment) => moment >= from && moment < from + SECONDS * 1000).length
const off = within / (SECONDS * PER_SECOND) - 1
report([
  {
    what: `starts within ${SECONDS} s at ${PER_SECOND}/s, by ${PROCESSES} processes (${starts.map(({ length }) => whole(length)).join(', ')} in all)`,
    result: `${whole(within)}, off by ${(100 * off).toFixed(2)} %`,
    aim: `± ${100 * OFF} %`,
    met: Math.abs(off) <= OFF,
  },
])
