// A run is the jobs of one folder. It outlives the processes that work on it: whoever opens its jobs carries on.
import { createHash } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { HoldfastError, openQueue } from 'holdfast'
import { workerThreads } from 'holdfast/node'
import { nodeFs } from 'holdfast/node-fs'
import { compressFile, writeManifest, writingManifest } from './jobs.mjs'
import { places, work } from './places.mjs'

/** Everything is kept: the manifest reads what every job has found out. */
const KEPT = { maxAge: Infinity, maxCount: Infinity }

/** Where the queue tells what its services meet while they go on: once, however often they try. */
const logger = {
  debug: () => undefined,
  info: console.log,
  warn: console.error,
  error(/** @type {string} */ message, /** @type {{ error?: unknown }} */ { error } = {}) {
    if (!HoldfastError.is(error, 'HOLDFAST_STORAGE')) console.error(`${message}:`, error)
  },
}

export async function openJobs() {
  await mkdir(places.unfinished, { recursive: true })
  return openQueue({
    storage: nodeFs({ directory: places.jobs }),
    jobs: [compressFile, writeManifest],
    logger,
    retention: { completed: KEPT, failed: KEPT },
    // By default a job that saw its process die 4 times is taken for the cause. This program is there to be killed.
    maxInterruptions: 1000,
  })
}

/** Two executors: files in threads, the manifest here. @param {import('holdfast').JobQueue} queue */
export async function startExecutors(queue) {
  const spawn = () => new Worker(new URL('compress.worker.mjs', import.meta.url))
  // While one file of a thread is read or written, another is compressed. Where many processes start at once, the last
  // thread is ready long after the first.
  const runner = workerThreads({ spawn, jobsPerWorker: 2, readyWithin: '5m' })
  const files = queue.createExecutor({ runner, jobs: [compressFile], concurrency: 2 * availableParallelism() })
  const manifest = queue.createExecutor({ handlers: [writingManifest(queue)], concurrency: 1, state: places })
  await Promise.all([files.start(), manifest.start()])
}

/**
 * For when the storage fails, say because its folder was deleted. Executors would try again for ever, which is right for a
 * service and not for a command.
 *
 * @param {import('holdfast').JobQueue} queue @param {(error: HoldfastError) => void} end
 */
export function onStorageFailure(queue, end) {
  queue.on('error', ({ error }) => {
    if (HoldfastError.is(error, 'HOLDFAST_STORAGE')) end(error)
  })
}

/**
 * What the last run has left; `null` when there was none. `complete`: all files of its folder are jobs already.
 *
 * @param {import('holdfast').JobQueue} queue
 * @returns {Promise<{ folder: string, ended: boolean, complete: boolean, total: number, done: number } | null>}
 */
export async function lastRun(queue) {
  const [any] = (await queue.list({ limit: 1 }).page()).jobs
  if (any === undefined) return null
  const { folder } = any.payload
  // It is enqueued when all files are, and ends when all of them have.
  const manifest = await queue.get(idOf(folder))
  const { completed, failed, ...open } = await queue.counts()
  const manifestEnded = manifest?.status === 'completed' || manifest?.status === 'failed'
  const done = completed + failed - Number(manifestEnded)
  const total = done + open.pending + open.scheduled + open.running - Number(manifest !== null && !manifestEnded)
  return { folder, ended: manifestEnded, complete: manifest !== null, total, done }
}

/** What lies there and belongs to no run. */
export async function removeOutput() {
  await rm(places.out, { recursive: true, force: true })
  await rm(places.manifest, { force: true })
}

/** Forgets the last run, and what it wrote. */
export async function removeRun() {
  const old = `${dirname(work)}/quickstart-old`
  await rm(old, { recursive: true, force: true })
  // In one step, since a journal of which a kill has left one half would be another journal.
  await rename(work, old)
  await rm(old, { recursive: true, force: true })
}

/**
 * Stores jobs for files; one that has its job already is left as it is, since the id of a job says what it is about.
 *
 * @param {import('holdfast').JobQueue} queue @param {string} folder @param {import('./files.mjs').FoundFile[]} files
 */
export async function enqueueFiles(queue, folder, files) {
  await queue.enqueueMany(
    files.map((file) => ({
      job: compressFile,
      payload: { folder, ...file },
      options: { id: idOf(folder, file.rawPath ?? file.path) },
    })),
  )
}

/** Once all files are stored. Answers its id. @param {import('holdfast').JobQueue} queue @param {string} folder */
export async function enqueueManifest(queue, folder) {
  const { id } = await queue.enqueue(writeManifest, { folder }, { id: idOf(folder) })
  return id
}

/** @param {string[]} parts */
function idOf(...parts) {
  return createHash('sha256').update(parts.join('\0')).digest('base64url')
}
