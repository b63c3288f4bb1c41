import { gzipSync } from 'node:zlib'
import { expect } from 'vitest'
import type { Journey } from './playground.ts'
import { barriersOf } from './playground-barriers.ts'

/** What the page may weigh before anybody touches it, all files together, each compressed; bytes. */
const LIGHT = 120_000

/** The page itself, and its panels for those who look closer. */
export function panelJourneys(journey: Journey): void {
  journey(
    'the page is light, keeps to its policy, stands in nobody’s way and runs the kit',
    async ({ address, visit }) => {
      const visitor = await visit()
      const { tab } = visitor
      // All that is needed from the start is there.
      await visitor.shows('.workers', 'waits for work')
      const [home, files] = await tab.evaluate(
        () =>
          [
            location.href,
            performance
              .getEntriesByType('resource')
              .map(({ name }) => name)
              .filter((name) => !name.includes('/webhooks/')),
          ] as const,
      )
      expect(files.filter((file) => !file.startsWith(home))).toEqual([])
      const weights = await Promise.all([home, ...new Set(files)].map((file) => weigh(file.replace(home, address))))
      const weight = weights.reduce((sum, one) => sum + one, 0)
      console.log(
        `The playground weighs ${weight} bytes (gzip) before the first interaction, in ${weights.length} files`,
      )
      // That of the Web Workers is among them, for it is needed from the start.
      expect(files.some((file) => file.includes('computation.worker'))).toBe(true)
      expect(weight).toBeLessThan(LIGHT)
      expect(await barriersOf(tab)).toEqual([])
      expect(await tab.evaluate(trustsBlobs)).toBe(false)
      const { headers } = await fetch(address)
      expect(headers.get('content-security-policy')).toMatch(/default-src 'self'.*require-trusted-types-for 'script'/)

      await visitor.write('#kit input', 'fence: an ')
      await visitor.press('Run the kit')
      await visitor.shows('.notice', 'The kit has ended: 0 failed')
      const report = await tab.evaluate(() => document.querySelector<HTMLTextAreaElement>('#kit textarea')?.value)
      expect(report).toMatch(/[1-9]\d* passed, 0 failed, 0 skipped/)
    },
  )

  journey(
    'a worker that is killed is replaced, and one that loops for ever is ended by the timeout',
    async ({ visit }) => {
      const visitor = await visit()
      await visitor.press('Count primes')
      await visitor.shows('.workers', /Worker \d+primes below 10,000,000/)
      await visitor.eventually(
        () => [...document.querySelectorAll<HTMLProgressElement>('.workers progress')].some(({ value }) => value > 0),
        true,
      )
      const victim = await visitor.tab.evaluate(() => {
        const rows = [...document.querySelectorAll('.workers li')]
        const row = rows.find(({ textContent }) => textContent.includes('primes'))
        return row?.querySelector('.who')?.firstChild?.textContent ?? ''
      })
      await visitor.tab.click((who) => {
        const rows = [...document.querySelectorAll('.workers li')]
        return rows.find(({ textContent }) => textContent.startsWith(who))?.querySelector('button')
      }, victim)
      await visitor.shows('.notice', `${victim} was killed`)
      await visitor.shows('.workers', /Worker \d+primes below 10,000,000/)
      expect(await visitor.tab.evaluate(() => document.querySelector('.workers')?.textContent)).not.toContain(victim)
      expect(await visitor.tab.evaluate(() => document.querySelectorAll('.workers li').length)).toBe(2)
      expect(await visitor.tab.evaluate(() => document.activeElement?.textContent)).toBe('Kill this worker')
      await visitor.openJob('running', 'primes')
      await visitor.shows('dialog[open] .history', /^interrupted after .*worker died/)
      await visitor.press('Cancel the job')
      await visitor.press('Close')
      await visitor.laneCounts('cancelled', 1)

      await visitor.press('Loop for ever')
      await visitor.shows('.workers', 'endless_loop')
      await visitor.shows('.loop', /: failed.*failed after [1-9]\.\d\d s.*failed after [1-9]\.\d\d s/)
      await visitor.laneCounts('failed', 1)
      await visitor.openJob('failed', 'endless_loop')
      await visitor.shows('dialog[open] pre', 'HOLDFAST_TIMEOUT')
      const told = await visitor.tab.evaluate(() => document.querySelector('dialog[open] pre')?.textContent)
      expect(told?.match(/took longer than/g)).toHaveLength(1)
      await visitor.eventually(() => document.querySelectorAll('.workers li').length, 2)
    },
  )

  journey('ten thousand jobs are measured and drawn', async ({ visit }) => {
    const visitor = await visit()
    await visitor.press('10,000 jobs')
    await visitor.shows('#many-summary', /10,000 jobs in .* jobs a second/)
    await visitor.scores({ acknowledged: 10_000, done: 10_000, lost: 0, twice: 0 })
    await visitor.eventually(() => (document.querySelector('.chart canvas')?.clientWidth ?? 0) > 100, true)
    await visitor.shows('.log', /→ completed/)
  })

  journey('the examples of AQL do what they say, and mistakes are shown where they are', async ({ visit }) => {
    const visitor = await visit()
    const parserIsThere = (): boolean => performance.getEntriesByType('resource').some(({ name }) => /aql/.test(name))
    expect(await visitor.tab.evaluate(parserIsThere)).toBe(false)
    await visitor.press('Run')
    await visitor.shows('.answer pre', /"jobId": "[0-9a-f-]{36}",\s+"status": "(SCHEDULED|PENDING)"/)
    expect(await visitor.tab.evaluate(parserIsThere)).toBe(true)
    await visitor.choose('Example', 'Enqueue several')
    await visitor.tab.evaluate(() => {
      const editor = document.querySelector('#aql textarea')
      editor?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true }))
    })
    await visitor.shows('.lane.completed', 'resize picture 2')
    await visitor.choose('Example', 'Define a handler')
    await visitor.press('Run')
    await visitor.shows('.answer pre', '"on": "insert:users"')
    await visitor.press('A user signs up')
    await visitor.shows('.notice', 'User 1 has signed up: 1 job follows from it.')
    await visitor.scores({ acknowledged: 4, lost: 0 })
    await visitor.write(
      '#aql textarea',
      'mutation { enqueueJob(type: "primes", payload: { below: 100000 }) { jobId } }',
    )
    await visitor.press('Run')
    await visitor.openJob('completed', 'primes below 100,000')
    await visitor.shows('dialog[open]', '"found": 9592')
    await visitor.press('Close')
    await visitor.write(
      '#aql textarea',
      'mutation { pause(type: "resize") enqueueJob(type: "resize", payload: { id: 3 }, jobKey: "third") { jobId } }',
    )
    await visitor.press('Run')
    await visitor.shows('.paused', 'Paused in all tabs: jobs of type resize.')
    await visitor.laneCounts('pending', 1)
    await visitor.write('#aql textarea', 'mutation { removeJob(jobKey: "third") { jobId } }')
    await visitor.press('Run')
    await visitor.shows('.answer pre', '"removeJob": {')
    await visitor.eventually(removalsWritten, 1)
    await visitor.press('Resume')
    await visitor.eventually(() => document.querySelector('.paused') === null, true)
    await visitor.choose('Example', 'Ask for dead letters')
    await visitor.press('Run')
    await visitor.shows('.answer pre', '"_jobs": []')
    await visitor.choose('Example', 'Ask, with a mistake')
    await visitor.press('Run')
    await visitor.shows('.errors', /^Line 3, column 9.*`where`.*HOLDFAST_AQL$/)
    await visitor.press('Line 3, column 9')
    await visitor.eventually(() => {
      const { value, selectionStart } = document.activeElement as HTMLTextAreaElement
      return value.slice(selectionStart, selectionStart + 4)
    }, 'wher')
    expect(await barriersOf(visitor.tab)).toEqual([])
  })
}

/** How many lines of the ledger are about removals. */
async function removalsWritten(): Promise<number> {
  const opened = indexedDB.open('holdfast-playground-ledger')
  await new Promise((resolve) => (opened.onsuccess = resolve))
  const read = opened.result.transaction('lines').objectStore('lines').getAll()
  await new Promise((resolve) => (read.onsuccess = resolve))
  opened.result.close()
  return (read.result as readonly object[]).filter((line) => 'removed' in line).length
}

/** Whether the page vouches for scripts that somebody made in it. Browsers without trusted types ask nobody. */
function trustsBlobs(): boolean {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { defaultPolicy: { createScriptURL(address: string): unknown } }
  }
  try {
    trustedTypes?.defaultPolicy.createScriptURL(`blob:${location.origin}/any`)
    return trustedTypes !== undefined
  } catch {
    return false
  }
}

async function weigh(address: string): Promise<number> {
  return gzipSync(Buffer.from(await (await fetch(address)).arrayBuffer())).length
}
