import type { Behaviour, EndpointState } from './endpoint.ts'

const at = (path: string): URL => new URL(`webhooks/${path}`, document.baseURI)

/** Finds who answers webhooks: the server that the page came from or, where that knows nothing of them, a service worker. */
export async function findEndpoint(): Promise<EndpointState> {
  const found = await stateOf(fetch(at('state')))
  if (found !== null) return found
  if (!('serviceWorker' in navigator)) throw new Error('this browser has no service workers for this page')
  await navigator.serviceWorker.register(new URL('webhooks-worker.js', document.baseURI))
  await navigator.serviceWorker.ready
  await controlled()
  const answered = await stateOf(fetch(at('state')))
  if (answered === null) throw new Error('the service worker does not answer')
  return answered
}

export async function behave(as: Behaviour): Promise<EndpointState> {
  const address = at('behave')
  address.searchParams.set('as', as)
  const state = await stateOf(fetch(address, { method: 'POST' }))
  if (state === null) throw new Error('the endpoint is gone')
  return state
}

/** Throws when the endpoint refuses, so that the job is tried again. */
export async function deliver(id: string, body: unknown, signal: AbortSignal): Promise<unknown> {
  const address = at('deliver')
  address.searchParams.set('id', id)
  const response = await fetch(address, { method: 'POST', body: JSON.stringify(body), signal })
  if (!response.ok) throw new Error(`The endpoint answered ${response.status}`)
  return response.json()
}

/** How long a service worker may take to take charge of this page, ms. It never does of one that was reloaded by force. */
const PATIENCE = 5000

function controlled(): Promise<unknown> {
  const { serviceWorker } = navigator
  if (serviceWorker.controller !== null) return Promise.resolve()
  return new Promise((resolve, reject) => {
    serviceWorker.addEventListener('controllerchange', resolve, { once: true })
    setTimeout(() => reject(new Error('its service worker is not in charge yet: reload this page')), PATIENCE)
  })
}

/** `null`: whatever answered, it was not our endpoint. A server of files has a page or an error for every address. */
async function stateOf(asked: Promise<Response>): Promise<EndpointState | null> {
  const response = await asked
  const isOurs = response.ok && response.headers.get('content-type')?.startsWith('application/json')
  return isOurs === true ? ((await response.json()) as EndpointState) : null
}
