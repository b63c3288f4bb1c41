// The jobs of the quickstart: definitions, which say what there is to do, and the handlers that do it.
import { createHash } from 'node:crypto'
import { constants, createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { defineJob, fixed, RetryLater } from 'holdfast'
import { z } from 'zod'
import { locate } from './files.mjs'

// A payload says all that the job needs: it may be run by a process that knows nothing of the one that enqueued it.
export const compressFile = defineJob({
  type: 'compress_file',
  payload: z.object({ folder: z.string(), path: z.string(), rawPath: z.string().optional() }),
  backoff: fixed('200ms'),
  timeout: '1h',
})

export const writeManifest = defineJob({
  type: 'write_manifest',
  payload: z.object({ folder: z.string() }),
  priority: 'low',
  backoff: fixed('200ms'),
})

/** Runs in worker threads: compressing is work for a processor. */
export const compressing = compressFile.handler(async (file, { job, fence, signal, state }) => {
  // A pipe that has taken the file's place would block an open that waits for its writer.
  const source = await open(locate(file.folder, file), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  // Written aside under a name of this attempt's own, so that no other attempt can disturb it.
  const unfinished = join(state.unfinished, `${job.id}.${fence}`)
  try {
    if (!(await source.stat()).isFile()) throw new Error('not a file')
    const { bytes, sha256 } = await compress(source, unfinished, signal)
    const { size: gzipBytes } = await stat(unfinished)
    const output = join(state.out, outputOf(file))
    await mkdir(dirname(output), { recursive: true })
    await rename(unfinished, output)
    return { bytes, gzipBytes, sha256 }
  } finally {
    await source.close()
    await rm(unfinished, { force: true })
  }
})

/** Runs beside the queue, of which it reads more than a thread can. @param {import('holdfast').JobQueue} queue */
export function writingManifest(queue) {
  return writeManifest.handler(async (_, { job, fence, state }) => {
    const { pending, scheduled, running } = await queue.counts()
    // This job is one of the running ones. To be run later costs it none of its attempts.
    if (pending + scheduled + running > 1) throw new RetryLater({ after: '100ms' })
    const unfinished = join(state.unfinished, `${job.id}.${fence}`)
    await writeFile(unfinished, `${JSON.stringify(await collected(queue), null, 2)}\n`)
    await rename(unfinished, state.manifest)
  })
}

/**
 * @param {import('node:fs/promises').FileHandle} source
 * @param {string} target
 * @param {AbortSignal} signal
 */
async function compress(source, target, signal) {
  const hash = createHash('sha256')
  let bytes = 0
  const measured = async function* (/** @type {AsyncIterable<Buffer>} */ chunks) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  // Node writes the time 0 into the header, so the same file gives the same bytes.
  const input = source.createReadStream({ autoClose: false })
  await pipeline(input, measured, createGzip(), createWriteStream(target), { signal })
  return { bytes, sha256: hash.digest('hex') }
}

/**
 * Where the compressed file goes: its own path and `.gz`. The folder `a.gz` becomes `a.gz_`, since the file `a` needs
 * that name. A path that is not UTF-8, or gets too long by its ending, gives way to its hash.
 *
 * @param {import('./files.mjs').FoundFile} file
 */
function outputOf({ path, rawPath }) {
  const names = path.split('/')
  const tooLong = path.length > 2000 || names.some((name) => Buffer.byteLength(name) > 250)
  if (tooLong || rawPath !== undefined) {
    const hash = createHash('sha256').update(rawPath ?? path)
    return `${hash.digest('hex')}.gz`
  }
  const folders = names.slice(0, -1).map((name) => name.replace(/\.gz_*$/, '$&_'))
  return `${[...folders, names.at(-1)].join('/')}.gz`
}

/** What the other jobs found out, in the order of the paths. @param {import('holdfast').JobQueue} queue */
async function collected(queue) {
  const files = []
  const failed = []
  for await (const { payload, result, status, error } of queue.list({ where: { type: { eq: compressFile.type } } })) {
    const { path, rawPath } = payload
    const file = rawPath === undefined ? { path } : { path, rawPath }
    if (status === 'completed') files.push({ ...file, ...result })
    else failed.push({ ...file, error: reasonOf(error) })
  }
  return { files: files.sort(byPath), failed: failed.sort(byPath) }
}

/** An error of the file system names the absolute path as well, which differs from machine to machine. */
export function reasonOf(/** @type {import('holdfast').ErrorData | null} */ error) {
  return error?.message.replace(/^(E[A-Z]+: [^,]+), .*$/s, '$1') ?? 'unknown'
}

/** @param {import('./files.mjs').FoundFile} a @param {import('./files.mjs').FoundFile} b */
function byPath(a, b) {
  return compare(a.path, b.path) || compare(a.rawPath ?? '', b.rawPath ?? '')
}

/** By code units, the same everywhere. @param {string} a @param {string} b */
function compare(a, b) {
  return a < b ? -1 : Number(a > b)
}
