import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser, Tab } from './browser.ts'
import { barriersOf } from './playground-barriers.ts'
import { type Playground, serveStaticFiles, startPlayground } from './playground-server.ts'
import { Visitor } from './playground-visitor.ts'
import { freshProfile, type Profile } from './profile.ts'

/** What the page may weigh before anybody touches it, all files together, each compressed; bytes. */
const LIGHT = 120_000

/** The playground as a person uses it: one browser, whose tabs come and go. */
export function visitThePlayground(start: (profile: Profile) => Promise<Browser>): void {
  let playground: Playground
  let profile: Profile
  let browser: Browser

  beforeAll(async () => {
    playground = await startPlayground()
    profile = await freshProfile()
    browser = await start(profile)
  })
  afterAll(async () => {
    await browser.close()
    await profile.remove()
    expect(await playground.interrupt()).toBe(130)
  })

  /** A tab that notes what breaks the policy of the page. */
  async function visit(address = playground.address): Promise<Visitor> {
    const tab = await browser.open(address)
    await tab.evaluate(noteViolations)
    return new Visitor(tab).arrive()
  }

  test('it is light, keeps to its policy and stands in nobody’s way', async () => {
    const visitor = await visit()
    const files = await visitor.tab.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map(({ name }) => name)
        .filter((name) => !name.includes('/webhooks/')),
    )
    expect(files.filter((file) => !file.startsWith(playground.address))).toEqual([])
    const weights = await Promise.all([playground.address, ...files].map(weigh))
    const weight = weights.reduce((sum, one) => sum + one, 0)
    console.log(`The playground weighs ${weight} bytes (gzip) before the first interaction, in ${weights.length} files`)
    expect(weight).toBeLessThan(LIGHT)
    expect(await barriersOf(visitor.tab)).toEqual([])
    const { headers } = await fetch(playground.address)
    expect(headers.get('content-security-policy')).toMatch(/default-src 'self'.*require-trusted-types-for 'script'/)
    expect(await violationsIn(visitor.tab)).toEqual([])
    await visitor.tab.close()
  })

  test('jobs of a tab that is reloaded and then closed are done by another one, each once', async () => {
    const first = await visit()
    await first.press('8 errands of 4 s')
    await first.laneCounts('running', 4)
    const second = await visit()
    await second.eventually(() => document.querySelectorAll('.session').length, 2)
    await second.laneCounts('running', 8)
    await first.tab.reload()
    await first.arrive()
    await first.tab.close()
    await second.scores({ acknowledged: 8, done: 8, lost: 0, twice: 0 })
    await second.eventually(() => document.querySelectorAll('.session').length, 1)
    expect(await violationsIn(second.tab)).toEqual([])
    await second.tab.close()
  })

  test('files are hashed and gzipped, a picture that is none becomes a dead letter, and that can be retried', async () => {
    const visitor = await visit()
    await visitor.laneCounts('failed', 0)
    const { done } = await visitor.score()
    await visitor.chooseFiles([
      ['notes.txt', 'text/plain', 'hold fast '.repeat(1000)],
      ['wreck.png', 'image/png', 'no picture'],
    ])
    await visitor.scores({ done: done + 2 })
    await visitor.laneCounts('failed', 1)
    await openJob(visitor, '.lane.completed', 'notes.txt')
    await visitor.shows('dialog[open]', /"sha256": "[0-9a-f]{64}"/)
    expect(await barriersOf(visitor.tab)).toEqual([])
    await visitor.press('Close')
    await openJob(visitor, '.lane.failed', 'wreck.png')
    await visitor.shows('dialog[open] .history', /^failed after/)
    await visitor.press('Retry')
    await visitor.press('Close')
    await visitor.shows('.notice', 'Retried')
    await visitor.laneCounts('failed', 1)
    expect(await violationsIn(visitor.tab)).toEqual([])
    await visitor.tab.close()
  })

  test('webhooks wait while the page is offline, and are delivered again when the endpoint fails', async () => {
    const visitor = await visit()
    await visitor.shows('.endpoint', 'own server')
    await visitor.choose('The endpoint', 'fails twice')
    await visitor.shows('.notice', 'fails twice')
    const { done } = await visitor.score()
    await visitor.toggleOffline()
    await visitor.press('3 webhooks')
    await visitor.laneCounts('pending', 3)
    await visitor.shows('.lane.pending', 'needs online')
    await visitor.press('Tear the database connection')
    await visitor.shows('.notice', 'connection torn')
    await visitor.toggleOffline()
    await visitor.shows('.lane.scheduled', /order \d.*in \d s/)
    await visitor.scores({ done: done + 3, lost: 0, twice: 0 })
    expect(await violationsIn(visitor.tab)).toEqual([])
    await visitor.tab.close()
  })

  test('ten thousand jobs are measured and drawn', async () => {
    const visitor = await visit()
    const { done } = await visitor.score()
    await visitor.press('10,000 jobs')
    await visitor.shows('#many-summary', /10,000 jobs in .* jobs a second/)
    await visitor.scores({ done: done + 10_000, lost: 0, twice: 0 })
    await visitor.eventually(() => (document.querySelector('.chart canvas')?.clientWidth ?? 0) > 100, true)
    await visitor.shows('.log', /→ completed/)
    expect(await violationsIn(visitor.tab)).toEqual([])
    await visitor.tab.close()
  })

  test('the conformance kit runs in the page', async () => {
    const visitor = await visit()
    await visitor.tab.evaluate(() => {
      const input = document.querySelector<HTMLInputElement>('#kit input') as HTMLInputElement
      input.value = 'fence: '
      input.dispatchEvent(new Event('input', { bubbles: true }))
    })
    await visitor.press('Run the kit')
    await visitor.shows('.notice', 'The kit has ended: 0 failed')
    const report = await visitor.tab.evaluate(() => document.querySelector('textarea')?.value)
    expect(report).toMatch(/[1-9]\d* passed, 0 failed, 0 skipped/)
    await visitor.tab.close()
  })

  test('an acknowledged job that somebody sets aside in the developer tools counts as lost', async () => {
    const visitor = await visit()
    await visitor.press('Errand in ten minutes')
    await openJob(visitor, '.lane.scheduled', 'of 4 s')
    await visitor.shows('dialog[open] .facts', /^Id[0-9a-f-]{36}/)
    const id = await visitor.tab.evaluate(() => document.querySelector('dialog .facts dd')?.textContent ?? '')
    expect(await visitor.score()).toMatchObject({ lost: 0 })
    expect(await visitor.tab.evaluate(deleteNewestRecordOf, id)).toBe(1)
    await visitor.tab.reload()
    await visitor.arrive()
    await visitor.scores({ lost: 1, twice: 0 })
    await visitor.tab.close()
  })

  test('where there are only files a service worker answers the webhooks, and the page says so', async () => {
    await using files = await serveStaticFiles()
    const visitor = await visit(files.address)
    await visitor.shows('.endpoint', 'a service worker in this browser')
    await visitor.press('3 webhooks')
    await visitor.scores({ acknowledged: 3, done: 3, lost: 0, twice: 0 })
    const policy = await visitor.tab.evaluate(() => document.querySelector('meta[http-equiv]')?.getAttribute('content'))
    expect(policy).toMatch(/default-src 'self'.*require-trusted-types-for 'script'/)
    expect(await violationsIn(visitor.tab)).toEqual([])
    await visitor.tab.close()
  })
}

async function openJob(visitor: Visitor, lane: string, title: string): Promise<void> {
  await visitor.shows(lane, title)
  await visitor.tab.evaluate(
    ([place, text]) => {
      const cards = [...document.querySelectorAll<HTMLElement>(`${place} .card`)]
      cards.find(({ textContent }) => textContent.includes(text ?? ''))?.click()
    },
    [lane, title],
  )
}

/** What a person does in the developer tools: looks for the record that names the job and deletes it. Answers how many. */
async function deleteNewestRecordOf(id: string): Promise<number> {
  const answered = <Value>(request: IDBRequest<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error ?? new Error('The request failed'))
    })
  const database = await answered(indexedDB.open('holdfast-playground'))
  const store = database.transaction('log', 'readwrite').objectStore('log')
  const [keys, records] = await Promise.all([answered(store.getAllKeys()), answered(store.getAll())])
  const named = keys.filter((_, at) => JSON.stringify(records[at]).includes(id))
  const last = named.at(-1)
  if (last !== undefined) await answered(store.delete(last))
  database.close()
  return last === undefined ? 0 : 1
}

async function weigh(address: string): Promise<number> {
  return gzipSync(Buffer.from(await (await fetch(address)).arrayBuffer())).length
}

const violationsIn = (tab: Tab): Promise<readonly string[]> =>
  tab.evaluate(() => (globalThis as unknown as { violations: readonly string[] }).violations)

function noteViolations(): void {
  const violations: string[] = []
  Object.assign(globalThis, { violations })
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    violations.push(`${effectiveDirective}: ${blockedURI}`)
  })
}
