// The quickstart: `npm start [-- FOLDER]`. Every file below FOLDER becomes a job that compresses it.
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from 'holdfast'
import { stopOnSignals } from 'holdfast/node'
import { alone } from '../scripts/alone.mjs'
import { UsageError, usage, whatToDo } from './arguments.mjs'
import { filesBelow, inBatches } from './files.mjs'
import { places, work } from './places.mjs'
import { Report } from './report.mjs'
import {
  enqueueFiles,
  enqueueManifest,
  lastRun,
  openJobs,
  removeOutput,
  removeRun,
  startExecutors,
  onStorageFailure,
} from './run.mjs'
import { Workers } from './workers.mjs'

const number = new Intl.NumberFormat('en')
/** How many looks at others at work, one each 100 ms, until it refuses or says that it waits. A kill is known after about 1 s. */
const LOOKS = 30

/** @param {string} folder @param {number} count of processes @returns {Promise<number>} the exit code */
async function compressAll(folder, count) {
  // Those that are started at once decide one after the other what they do.
  const { queue, left } = await alone(places.turn, async () => {
    const run = await openRun(folder, count)
    // Others see by them that somebody is at work.
    await startExecutors(run.queue)
    return run
  })
  const report = new Report(queue, left)
  const workers = new Workers(count - 1)
  onStorageFailure(queue, (error) => {
    report.stop()
    workers.kill()
    endWith(error)
  })
  // From here on Ctrl-C closes the queue: nothing more is claimed, and what runs has time to be finished. A terminal
  // tells the workers too, whoever else sends a signal does not.
  const onStop = () => {
    report.stopping()
    void workers.stop()
  }
  stopOnSignals(queue, { grace: '10s', onStop })
  try {
    if (left?.complete !== true) {
      // Jobs run while the folder is still being read. They are stored in batches: one write for many.
      for await (const files of inBatches(filesBelow(folder), 500)) {
        await enqueueFiles(queue, folder, files)
        report.found(files.length)
      }
    }
    const end = await queue.result(await enqueueManifest(queue, folder))
    await workers.stop()
    await report.print(end)
    await rm(places.unfinished, { recursive: true, force: true })
    await queue.close()
    return end.status === 'completed' && report.failed === 0 ? 0 : 1
  } catch (error) {
    if (!queue.closed) throw error
    // It waits for the close that is under way.
    await queue.close()
    await workers.stop()
    await printInterrupted()
    return Number(process.exitCode)
  } finally {
    report.stop()
  }
}

/**
 * The jobs of the run on this folder that was not finished, or of a new one. Says which.
 *
 * @param {string} folder @param {number} count of processes
 */
async function openRun(folder, count) {
  const queue = await openJobs()
  const processes = count === 1 ? '' : `, in ${count} processes`
  let left
  for (let looks = 1; ; looks++) {
    // In this order: once nobody is at work, what was left stays as it is.
    const atWork = (await queue.sessions()).some(({ ended }) => !ended)
    left = await lastRun(queue)
    if (left !== null && !left.ended && left.folder === folder) {
      console.log(`Carrying on with the files below ${folder}${processes}: ${doneOf(left)} were done`)
      return { queue, left }
    }
    if (!atWork) break
    if (looks >= LOOKS && left !== null && !left.ended) {
      await queue.close()
      throw new UsageError(`the run below ${left.folder} is under way in another process`)
    }
    // Whoever is at work has yet to store what it found, or to leave when all is done: neither takes long.
    if (looks === LOOKS) console.log('Waiting for another process, which is about to begin or to end (Ctrl-C gives up)')
    await sleep(100)
  }
  if (left !== null && !left.ended) console.log(`The run below ${left.folder} was not finished and is given up`)
  console.log(`Compressing the files below ${folder}${processes}`)
  if (left === null) {
    await removeOutput()
    return { queue, left }
  }
  await queue.close()
  await removeRun()
  return { queue: await openJobs(), left: null }
}

/** What the queue says once every process has left it. */
async function printInterrupted() {
  const queue = await openJobs()
  const left = await lastRun(queue)
  await queue.close()
  if (left !== null) console.log(`Interrupted with ${doneOf(left)} files done. The same command carries on.`)
}

/** @param {{ complete: boolean, total: number, done: number }} left */
function doneOf({ complete, total, done }) {
  // Before the folder was read to its end nobody knows how many there are.
  return complete ? `${number.format(done)} of ${number.format(total)}` : number.format(done)
}

/** At once: what cannot be stored any more need not be finished. @param {Error} error @returns {never} */
function endWith(error) {
  console.error(`quickstart: ${error.message}`)
  process.exit(error instanceof UsageError ? 2 : 1)
}

// Nobody reads any more what it says, as in `npm start | head`: as if SIGPIPE had ended it.
process.stdout.on('error', () => process.exit(141))

try {
  const { help, folder, workers } = await whatToDo(process.argv.slice(2), work)
  if (help) console.log(usage)
  else process.exitCode = await compressAll(folder, workers)
} catch (error) {
  const { syscall } = /** @type {NodeJS.ErrnoException} */ (error)
  // What the file system says names what it was about.
  if (!(error instanceof UsageError) && !HoldfastError.is(error) && syscall === undefined) throw error
  endWith(/** @type {Error} */ (error))
}
