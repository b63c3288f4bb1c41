// A real service worker in a real Chromium: node tests/browser/service-worker.chromium.mjs, on the built package. Page and
// worker each have a queue in memory, so the page hands its jobs to the worker by message; what is seen here is that the
// platform's own events, registrations and errors are as `holdfast/service-worker` takes them to be.
import { strict as assert } from 'node:assert'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright'

const root = fileURLToPath(new URL('../..', import.meta.url))
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update']

const WORKER = `
import { defineJob, openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'
import { onMessage, onSync } from 'holdfast/service-worker'
const upload = defineJob({ type: 'upload', requires: 'online' })
const queue = openQueue({ storage: memory() })
const handlers = [upload.handler(async (name) => {
  const answer = await fetch('/upload?' + name, { method: 'POST' })
  if (!answer.ok) throw new Error('HTTP ' + answer.status)
})]
const report = (by, drained) => drained.then(
  (value) => fetch('/report', { method: 'POST', body: JSON.stringify({ by, ...value }) }),
  async (error) => {
    const [job] = (await (await queue).list().page()).jobs
    await fetch('/report', { method: 'POST', body: JSON.stringify({ by, code: error.code, unreached: job.unreached }) })
    throw error
  })
self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('sync', (event) => event.waitUntil(report('sync', onSync({ queue, handlers, deadline: '5s' }))))
self.addEventListener('message', (event) => {
  if (onMessage({ data: event.data, waitUntil: (work) => event.waitUntil(report('message', work)) }, { queue, handlers })) return
  event.waitUntil(queue.then(async (opened) => {
    await opened.enqueue(upload, event.data.upload)
    event.ports[0].postMessage('stored')
  }))
})
`

const PAGE = `
import { defineJob, openQueue } from 'holdfast'
import { memory } from 'holdfast/memory'
import { registerBackgroundSync } from 'holdfast/service-worker'
const upload = defineJob({ type: 'upload', requires: 'online' })
globalThis.asked = []
globalThis.ready = (async () => {
  await navigator.serviceWorker.register('/worker.js', { type: 'module' })
  const registration = await navigator.serviceWorker.ready
  const queue = await openQueue({ storage: memory() })
  registerBackgroundSync({ queue, onAsked: (by) => asked.push(by) })
  globalThis.queue = queue
  globalThis.store = async (name) => {
    const { port1, port2 } = new MessageChannel()
    const stored = new Promise((resolve) => (port1.onmessage = resolve))
    registration.active.postMessage({ upload: name }, [port2])
    await stored
    await queue.enqueue(upload, name)
  }
  globalThis.fails = async (url) => {
    const handler = upload.handler(async () => fetch(url))
    const executor = queue.createExecutor({ handlers: [handler] })
    await executor.processUntilIdle()
    const { jobs } = await queue.list().page()
    return jobs.map(({ unreached, failures, error }) => ({ unreached, failures, error: error.name + ': ' + error.message }))
  }
})()
`

/** @param {string} contents */
async function bundled(contents) {
  const options = {
    bundle: true,
    write: false,
    logLevel: /** @type {const} */ ('error'),
    format: /** @type {const} */ ('esm'),
  }
  const { outputFiles } = await build({ ...options, stdin: { contents, resolveDir: root } })
  return outputFiles?.[0]?.text ?? ''
}

const files = { '/worker.js': await bundled(WORKER), '/page.js': await bundled(PAGE) }
/** @type {string[]} */
const uploads = []
/** @type {any[]} */
const reports = []
let away = false
const server = createServer((request, response) => {
  const { url = '' } = request
  if (url.startsWith('/upload')) {
    if (away) return void request.socket.destroy()
    uploads.push(url.slice('/upload?'.length))
    return void response.writeHead(204).end()
  }
  if (url === '/report') {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    return void request.on('end', () => {
      reports.push(JSON.parse(body))
      response.writeHead(204).end()
    })
  }
  const script = files[/** @type {keyof typeof files} */ (url)]
  response.writeHead(200, { 'content-type': script === undefined ? 'text/html' : 'text/javascript' })
  response.end(script ?? '<!doctype html><title>page</title><script type="module" src="/page.js"></script>')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)))
const address = server.address()
const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`

/** @param {string} what @param {() => boolean} condition */
async function until(what, condition) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.fail(`${what} did not happen within 10 s: ${JSON.stringify({ uploads, reports })}`)
}

let passed = 0
/** @param {string} sentence @param {() => Promise<void>} proof */
async function check(sentence, proof) {
  reports.length = 0
  uploads.length = 0
  await proof()
  passed += 1
  console.log(`✓ ${sentence}`)
}

const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGS })
console.log(`Chromium ${browser.version()}`)
try {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(origin)
  await page.evaluate('ready')
  const devtools = await context.newCDPSession(page)

  await check('a stored job registers a sync, the event drains', async () => {
    await page.evaluate(`store('one')`)
    await until('the upload', () => uploads.length === 1 && reports.length > 0)
    assert.deepEqual(await page.evaluate('asked'), ['sync'])
    assert.deepEqual(uploads, ['one'])
    assert.deepEqual(reports[0], { by: 'sync', done: 1, left: 0, nextRunAt: null })
  })

  await check('a server that is not reached has the sync rejected, and the job counts nothing', async () => {
    away = true
    await page.evaluate(`store('two')`)
    await until('the report', () => reports.length > 0)
    assert.equal(reports[0].code, 'HOLDFAST_WORK_LEFT')
    assert.deepEqual([reports[0].by, reports[0].unreached, uploads], ['sync', 1, []])
    away = false
  })

  await check('a sync that is fired again goes on with what was left', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5000))
    /** @type {Promise<string>} */
    const registered = new Promise((resolve) =>
      devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) =>
        resolve(registrations[0]?.registrationId ?? ''),
      ),
    )
    await devtools.send('ServiceWorker.enable')
    const registrationId = await registered
    await devtools.send('ServiceWorker.dispatchSyncEvent', {
      origin,
      registrationId,
      tag: 'holdfast',
      lastChance: true,
    })
    await until('the upload', () => uploads.length === 1 && reports.length > 0)
    assert.deepEqual([uploads, reports[0].done], [['two'], 1])
  })

  await check('where Background Sync is switched off, the worker gets a message', async () => {
    const permission = { name: 'background-sync' }
    const whole = await browser.newBrowserCDPSession()
    const { browserContextIds } = await whole.send('Target.getBrowserContexts')
    for (const browserContextId of browserContextIds)
      await whole.send('Browser.setPermission', { permission, setting: 'denied', origin, browserContextId })
    await page.evaluate('asked.length = 0')
    await page.evaluate(`store('three')`)
    await until('the upload', () => uploads.length === 1 && reports.length > 0)
    assert.deepEqual(await page.evaluate('asked'), ['message'])
    assert.deepEqual([uploads, reports[0].by], [['three'], 'message'])
  })

  await check('what this engine says of a network that is not there counts nothing', async () => {
    const failed = /** @type {any[]} */ (await page.evaluate(`fails('http://127.0.0.1:9/')`))
    assert.ok(failed.length >= 3)
    for (const { unreached, failures, error } of failed)
      assert.deepEqual([unreached, failures, error.split(':')[0]], [1, 0, 'TypeError'])
    console.log(`  ${failed[0].error}`)
  })

  await check('online again, the worker is asked', async () => {
    await page.evaluate('asked.length = 0')
    // One after the other: going offline and online in one breath is no event.
    await context.setOffline(true)
    await page.waitForFunction('!navigator.onLine')
    await context.setOffline(false)
    await page.waitForFunction('asked.length > 0')
    assert.deepEqual(await page.evaluate('asked'), ['message'])
  })
} finally {
  await browser.close()
  server.close()
}
console.log(`${passed} passed`)
