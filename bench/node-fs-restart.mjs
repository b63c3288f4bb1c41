// From the kill -9 of a process that runs a job: until that job begins in another process, which is at work and idle; and,
// where there is none, until a process that is started then begins a job that waits, and the one that was cut short. The
// clock is the machine's monotonic one, the same for all.
import { setTimeout as sleep } from 'node:timers/promises'
import { inFolder, monotonic, openFolder, Process } from './node-fs-place.mjs'
import { quantile, report, work } from './work.mjs'

const ROUNDS = 5

/** @param {string} folder @param {readonly string[]} names */
async function enqueue(folder, ...names) {
  const queue = await openFolder(folder)
  for (const name of names) await queue.enqueue(work, { name })
  await queue.close()
}

/** @param {string} folder */
async function started(folder) {
  const process = new Process('hang', folder)
  await process.says()
  return process
}

/** The moment at which it began the job. @param {Process} process @param {string} name */
async function began(process, name) {
  const { name: said, at } = await process.says()
  if (said !== name) throw new Error(`${said} began, and not ${name}`)
  return at
}

/** A process that runs a job. @param {string} folder */
async function busy(folder) {
  await enqueue(folder, 'cut short')
  const process = await started(folder)
  await began(process, 'cut short')
  return process
}

async function elsewhere() {
  return inFolder(async (folder) => {
    const dying = await busy(folder)
    const other = await started(folder)
    await sleep(500)
    const kill = monotonic()
    await dying.kill()
    const span = (await began(other, 'cut short')) - kill
    await other.stop()
    return span
  })
}

async function anew() {
  return inFolder(async (folder) => {
    const dying = await busy(folder)
    // Two at once is all that it takes.
    await enqueue(folder, 'busy too', 'waits')
    await began(dying, 'busy too')
    await dying.kill()
    const begin = monotonic()
    const next = await started(folder)
    const waits = (await began(next, 'waits')) - begin
    const cutShort = (await began(next, 'cut short')) - begin
    await next.stop()
    return { waits, cutShort }
  })
}

const spans = { elsewhere: [], waits: [], cutShort: [] }
for (let round = 0; round < ROUNDS; round++) {
  spans.elsewhere.push(await elsewhere())
  const { waits, cutShort } = await anew()
  spans.waits.push(waits)
  spans.cutShort.push(cutShort)
}

/** @param {string} what @param {number[]} all @param {number} most ms */
function row(what, all, most) {
  const [half, slowest] = [quantile(all, 0.5), Math.max(...all)].map((span) => Math.round(span))
  return {
    what,
    result: `p50 ${half} ms, slowest of ${ROUNDS} ${slowest} ms`,
    aim: `≤ ${most / 1000} s`,
    met: slowest <= most,
  }
}

report([
  row('node-fs, kill -9 → its job begins in another process', spans.elsewhere, 2000),
  row('node-fs, start of a process after a kill -9 → a waiting job begins', spans.waits, 1000),
  row('the same → the job that was cut short begins', spans.cutShort, 2000),
])
