/** Answers webhooks where the page is only files and no server of ours stands behind it. */
import { Endpoint } from './endpoint.ts'

/** What the global object of a service worker has beyond that of a page, as far as it is used. */
interface WorkerScope {
  addEventListener(
    type: 'install' | 'activate',
    listener: (event: { waitUntil(work: Promise<unknown>): void }) => void,
  ): void
  addEventListener(
    type: 'fetch',
    listener: (event: { readonly request: Request; respondWith(answer: Response): void }) => void,
  ): void
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
}

const worker = globalThis as unknown as WorkerScope
const endpoint = new Endpoint('a service worker in this browser, since these files have no server of their own')

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()))
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()))
worker.addEventListener('fetch', (event) => {
  const answer = endpoint.answer(event.request.method, new URL(event.request.url))
  if (answer !== null) event.respondWith(Response.json(answer.body, { status: answer.status }))
})
