import { defineJob, type JobQueue, openQueue } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'
import { registerBackgroundSync } from 'holdfast/service-worker'
import { DATABASE, type Upload } from './sync.ts'

const upload = defineJob({ type: 'upload', requires: 'online' })

/** How the service worker was asked since the last look. */
let asked: string[] = []
let queue: JobQueue | null = null

/** Registers the service worker, and opens the queue that it shares. The page itself runs no jobs. */
export async function open(): Promise<void> {
  await navigator.serviceWorker.register('/worker.js', { type: 'module' })
  const registration = await navigator.serviceWorker.ready
  queue = await openQueue({ storage: indexedDb({ name: DATABASE }), jobs: [upload] })
  registerBackgroundSync({ queue, registration, onAsked: (by) => asked.push(by) })
}

export async function store(id: string, payload: Upload = {}): Promise<void> {
  await opened().enqueue(upload, payload, { id })
}

export async function job(id: string): Promise<unknown> {
  const found = await opened().get(id)
  if (found === null) return null
  const { status, failures, interruptions, unreached } = found
  return { status, failures, interruptions, unreached }
}

/** A job that waits for its next try is due at once. */
export async function hurry(id: string): Promise<void> {
  await opened().reschedule([id], { runAt: Date.now() })
}

export async function cancel(id: string): Promise<void> {
  await opened().cancel(id)
}

export function takeAsked(): readonly string[] {
  const taken = asked
  asked = []
  return taken
}

export function isOnline(): boolean {
  return navigator.onLine
}

function opened(): JobQueue {
  if (queue === null) throw new Error('The queue is not open')
  return queue
}
