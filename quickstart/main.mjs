// The quickstart: `npm start [-- FOLDER]`. Every file below FOLDER becomes a job that compresses it.
import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'
import { UsageError, usage, whatToDo } from './arguments.mjs'
import { filesBelow, inBatches } from './files.mjs'
import { compressFile, handlers, writeManifest } from './jobs.mjs'
import { Report } from './report.mjs'

const work = fileURLToPath(new URL('../.holdfast/quickstart/', import.meta.url))

/** @param {string} folder @returns {Promise<number>} the exit code */
async function compressAll(folder) {
  const places = { folder, out: `${work}out`, unfinished: `${work}unfinished`, manifest: `${work}manifest.json` }
  await rm(work, { recursive: true, force: true })
  await mkdir(places.unfinished, { recursive: true })

  // This storage forgets its jobs when the process ends. The storages of the next releases keep them; then this line
  // changes and nothing else does.
  const queue = await openQueue({
    storage: memory(),
    jobs: [compressFile, writeManifest],
    // The manifest reads what every job has found out, so none may go before it is written.
    retention: { completed: { maxCount: 10_000_000 }, failed: { maxCount: 10_000_000 } },
  })
  const executor = queue.createExecutor({ handlers, concurrency: 2 * availableParallelism(), state: places })
  const report = new Report(queue)
  const interrupt = onInterrupt(report)

  console.log(`Compressing the files below ${folder}`)
  await executor.start()
  try {
    // Jobs run while the folder is still being read. They are stored in batches: one write for many.
    for await (const files of inBatches(filesBelow(folder), 500)) {
      interrupt.throwIfAborted()
      await queue.enqueueMany(files.map((file) => ({ job: compressFile, payload: file })))
      report.found(files.length)
    }
    const manifest = await queue.enqueue(writeManifest, {})
    const end = await queue.result(manifest.id, { signal: interrupt })
    report.stop()
    await report.print(places, end)
    return end.status === 'completed' && report.failed === 0 ? 0 : 1
  } catch (error) {
    if (!interrupt.aborted) throw error
    // Claims no more, and waits for the handlers that run.
    await executor.stop({ grace: '10s' })
    await report.printInterrupted()
    return 130
  } finally {
    report.stop()
    await queue.close()
    await rm(places.unfinished, { recursive: true, force: true })
  }
}

/** The first Ctrl-C aborts the signal that is returned, the second ends the process. @param {Report} report */
function onInterrupt(report) {
  const controller = new AbortController()
  let first = 0
  process.on('SIGINT', () => {
    if (!controller.signal.aborted) {
      first = performance.now()
      report.stop()
      console.log('Stopping: files under way have 10 s to be finished. Ctrl-C again ends at once.')
      controller.abort()
      // The terminal sends Ctrl-C to npm too, which hands it on: what comes at the same moment is the same keystroke.
    } else if (performance.now() - first > 300) process.exit(130)
  })
  return controller.signal
}

try {
  const { help, folder } = await whatToDo(process.argv.slice(2), work)
  if (help) console.log(usage)
  else process.exitCode = await compressAll(folder)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`quickstart: ${error.message}`)
  process.exitCode = 2
}
