import { expect } from 'vitest'
import type { Journey } from './playground.ts'
import { barriersOf } from './playground-barriers.ts'
import type { Visitor } from './playground-visitor.ts'

/**
 * Work of every kind, and what becomes of it when tabs and the network come and go. `end` is how a tab ends whose jobs
 * another one takes.
 */
export function jobJourneys(journey: Journey, end: (visitor: Visitor) => Promise<void>): void {
  journey(
    'jobs of a tab that ends, and of one that is reloaded, are done all the same, each once',
    async ({ visit }) => {
      const [first, second] = await Promise.all([visit(), visit()])
      await first.press('8 errands of 4 s')
      await first.eventually(() => document.querySelectorAll('.session').length, 4)
      await first.laneCounts('running', 8)
      await first.eventually(hasMoved, true)
      await end(second)
      await first.laneCounts('running', 4)
      // Not before: a job that is interrupted twice waits, and then runs alone.
      await first.reload()
      await first.scores({ acknowledged: 8, done: 8, lost: 0, twice: 0 })
      // Those that were taken over end last. While they run a page that looks seldom may not see them.
      await first.shows('.lane.completed', /attempt [23]/)
      await first.eventually(() => document.querySelectorAll('.session').length, 2)
    },
  )

  journey('the focus stays with a job that goes to another lane', async ({ visit }) => {
    const visitor = await visit()
    await visitor.press('8 errands of 4 s')
    await visitor.laneCounts('running', 4)
    await visitor.tab.evaluate(() => document.querySelector<HTMLElement>('.lane.running .card')?.focus())
    await visitor.eventually(() => document.activeElement?.closest('.lane')?.className, 'lane completed')
    expect(await visitor.tab.evaluate(() => document.activeElement?.textContent)).toMatch('errand')
  })

  journey('files that are chosen and dropped become hashes, pictures and dead letters', async ({ visit }) => {
    const visitor = await visit()
    await visitor.dropFiles([['half.png', 'image/png', null]])
    await visitor.scores({ acknowledged: 2, done: 2 })
    await visitor.eventually(() => document.querySelector<HTMLImageElement>('.lane.completed img')?.naturalWidth, 160)
    await visitor.openJob('completed', 'thumbnail half.png')
    await visitor.shows('dialog[open]', /"from": "400 × 200"/)
    await visitor.eventually(() => document.querySelector<HTMLImageElement>('dialog img')?.naturalHeight, 80)
    await visitor.press('Close')
    // Beside the field: a browser would open it in place of the page.
    await visitor.dropFiles([['notes.txt', 'text/plain', 'hold fast '.repeat(1000)]], 'h1')
    await visitor.chooseFiles([['wreck.png', 'image/png', 'no picture']])
    await visitor.scores({ acknowledged: 5, done: 4 })
    await visitor.laneCounts('failed', 1)
    await visitor.openJob('completed', 'notes.txt')
    await visitor.shows('dialog[open]', /"sha256": "[0-9a-f]{64}"/)
    expect(await barriersOf(visitor.tab)).toEqual([])
    await visitor.press('Close')
    await visitor.openJob('failed', 'wreck.png')
    await visitor.shows('dialog[open] .history', /^failed after/)
    await visitor.endedAttempts(1)
    await visitor.press('Retry')
    await visitor.shows('.notice', 'Retried')
    await visitor.endedAttempts(2)
    await visitor.press('Close')
    await visitor.press('Retry all')
    await visitor.shows('.notice', '1 dead letter is tried again.')
    await visitor.openJob('failed', 'wreck.png')
    await visitor.endedAttempts(3)
    await visitor.press('Close')
    await visitor.laneCounts('failed', 1)
  })

  journey('webhooks wait while the page is offline, and again when the endpoint fails', async ({ visit }) => {
    const visitor = await visit()
    await visitor.shows('.endpoint', 'own server')
    await visitor.choose('The endpoint', 'fails twice')
    await visitor.shows('.notice', 'fails twice')
    await visitor.toggleOffline()
    await visitor.press('3 webhooks')
    await visitor.laneCounts('pending', 3)
    await visitor.shows('.lane.pending', 'waits to be online')
    await visitor.choose('Priority', 'critical')
    await visitor.press('3 webhooks')
    await visitor.laneCounts('pending', 6)
    // The first of them is one of the later ones.
    await visitor.shows('.lane.pending li', /order [456].*critical/)
    await visitor.press('Tear the database connection')
    await visitor.shows('.notice', /^(1 connection|[2-9]\d* connections) torn/)
    // For the second or two until it is tried again.
    const waits = visitor.shows('.lane.scheduled', /order \d.*in \d s/)
    await visitor.toggleOffline()
    await waits
    await visitor.scores({ acknowledged: 6, done: 6, lost: 0, twice: 0 })
  })

  journey(
    'where there are only files a service worker answers the webhooks, and the page says so',
    async ({ files, visit }) => {
      const visitor = await visit(files)
      await visitor.shows('.endpoint', 'a service worker in this browser')
      await visitor.press('3 webhooks')
      await visitor.scores({ acknowledged: 3, done: 3, lost: 0, twice: 0 })
      await visitor.press('Count primes')
      await visitor.shows('.workers', 'primes below 10,000,000')
      const policy = await visitor.tab.evaluate(() =>
        document.querySelector('meta[http-equiv]')?.getAttribute('content'),
      )
      expect(policy).toMatch(/default-src 'self'.*require-trusted-types-for 'script'/)
    },
  )

  journey('a job that somebody sets aside in the developer tools counts as lost', async ({ visit }) => {
    const visitor = await visit()
    await visitor.press('Errand in ten minutes')
    await visitor.openJob('scheduled', 'of 4 s')
    await visitor.shows('dialog[open] .facts', /^Id[0-9a-f-]{36}/)
    const id = await visitor.tab.evaluate(() => document.querySelector('dialog .facts dd')?.textContent ?? '')
    expect(await visitor.score()).toMatchObject({ lost: 0 })
    expect(await visitor.tab.evaluate(deleteNewestRecordOf, id)).toBe(1)
    await visitor.reload()
    await visitor.scores({ acknowledged: 1, lost: 1, twice: 0 })
  })
}

/** Whether a bar of those that run shows more than nothing and less than all. */
function hasMoved(): boolean {
  const bars = document.querySelectorAll<HTMLProgressElement>('.lane.running progress')
  return [...bars].some(({ value }) => value > 0 && value < 1)
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
