import { defineJob, type JobQueue, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'

/** What is uploaded: Blobs, or bytes where the window keeps no Blobs. `taken` shows that other kinds of values come along. */
interface Photo {
  readonly picture: Blob | ArrayBuffer
  readonly file: File | null
  readonly taken: Date
}

const upload = defineJob({ type: 'upload', payloadFormat: 'structured-clone' })

function opened(): Promise<JobQueue> {
  return openQueue({ storage: indexedDb({ name: 'photos', snapshotAfter: 1 }), jobs: [upload] })
}

/** Stores photos of so many bytes each, and answers their digests. */
export async function take(photos: number, size: number, asBlobs: boolean): Promise<readonly string[]> {
  const queue = await opened()
  const digests: string[] = []
  for (let n = 0; n < photos; n++) {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
    const photo: Photo = {
      picture: asBlobs ? new Blob([bytes], { type: 'image/jpeg' }) : bytes.buffer,
      file: asBlobs ? new File([`photo ${n}`], `${n}.txt`, { type: 'text/plain', lastModified: n }) : null,
      taken: new Date(n),
    }
    await queue.enqueue(upload, photo, { id: `photo-${n}` })
    digests.push(await digestOf(bytes.buffer))
  }
  await queue.close()
  return digests
}

/** Uploads what is stored, and answers what arrived, in the order of the photos. */
export async function uploadAll(): Promise<readonly unknown[]> {
  const queue = await opened()
  const arrived = new Map<string, unknown>()
  const executor = queue.createExecutor({
    handlers: [
      upload.handler(async (payload, { job }) => {
        const { picture, file, taken } = payload as Photo
        const response = await fetch('/upload', { method: 'POST', body: picture })
        arrived.set(job.id, {
          arrived: await response.text(),
          type: picture instanceof Blob ? picture.type : null,
          file: file === null ? null : [file.name, await file.text(), file.lastModified],
          taken: taken.getTime(),
        })
      }),
    ],
  })
  await executor.processUntilIdle()
  const { pending, scheduled, running } = await queue.counts()
  await queue.close()
  if (pending + scheduled + running > 0) throw new Error('Not all was uploaded')
  return [...arrived.keys()].sort().map((id) => arrived.get(id))
}

/** How many chunks of payloads the database holds. */
export function chunks(): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('photos')
    request.onerror = () => reject(new Error('not opened'))
    request.onsuccess = () => {
      const { result } = request
      const count = result.transaction('payloads').objectStore('payloads').count()
      count.onsuccess = () => {
        result.close()
        resolve(count.result)
      }
    }
  })
}

async function digestOf(bytes: ArrayBuffer): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
