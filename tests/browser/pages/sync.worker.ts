import { defineJob, HoldfastError, openQueue, type Span } from 'holdfast'
import { indexedDb } from 'holdfast/indexeddb'
import { type Drained, onMessage, onSync } from 'holdfast/service-worker'
import { DATABASE, type Told, type Upload } from './sync.ts'

interface WorkerEvent extends Event {
  readonly data: unknown
  waitUntil(work: Promise<unknown>): void
}

/** The types of a service worker are not among those of a page. */
const scope = globalThis as unknown as EventTarget & {
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
}

const upload = defineJob({ type: 'upload', requires: 'online' })
const queue = () => openQueue({ storage: indexedDb({ name: DATABASE }), jobs: [upload] })
const handlers = [
  upload.handler(async (payload, { job, signal }) => {
    const response = await fetch('/upload', { method: 'POST', body: job.id })
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    if ((payload as Upload).stuck === true)
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  }),
]
const options = { queue, handlers }

/** How long to work, as the test says. */
async function deadline(): Promise<Span> {
  return (await (await fetch('/deadline', { method: 'POST' })).text()) as Span
}

async function synced(): Promise<unknown> {
  return onSync({ ...options, deadline: await deadline() })
}

/** Tells the server how it went, and hands it on to the browser. */
async function told(by: Told['by'], draining: Promise<unknown>): Promise<void> {
  const tell = (report: Omit<Told, 'by'>): Promise<Response> =>
    fetch('/told', { method: 'POST', body: JSON.stringify({ by, ...report }) })
  try {
    await tell((await draining) as Drained)
  } catch (error) {
    await tell({ code: HoldfastError.is(error) ? error.code : String(error) })
    throw error
  }
}

function listen(type: string, listener: (event: WorkerEvent) => void): void {
  scope.addEventListener(type, (event) => listener(event as WorkerEvent))
}

listen('install', () => void scope.skipWaiting())
listen('activate', (event) => event.waitUntil(scope.clients.claim()))
listen('sync', (event) => event.waitUntil(told('sync', synced())))
listen('message', (event) => {
  onMessage({ data: event.data, waitUntil: (work) => event.waitUntil(told('message', work)) }, options)
})
