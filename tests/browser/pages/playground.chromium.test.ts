import { describe, expect, vi } from 'vitest'
import { ChromiumTab, startChromium } from './chromium.ts'
import { journeysIn } from './playground.ts'
import { barriersOf } from './playground-barriers.ts'
import { jobJourneys } from './playground-jobs.ts'
import { panelJourneys } from './playground-panels.ts'
import { PATIENCE, Visitor } from './playground-visitor.ts'

const journey = journeysIn((profile) => startChromium({ profile, args: ['--force-prefers-reduced-motion'] }))

describe.concurrent('at the same time', () => {
  // The longest goes first, so that the others do not wait for it.
  journey('jobs of a tab that is frozen by its button are done by another one, each once', async ({ visit }) => {
    const [frozen, other] = await Promise.all([visit(), visit()])
    await frozen.press('8 errands of 4 s')
    await other.laneCounts('running', 8)
    // Until it is taken off the list.
    const silent = other.shows('.session.silent .beats', 'silent')
    await frozen.press('Freeze for 15 s')
    await silent
    await other.scores({ acknowledged: 8, done: 8, lost: 0, twice: 0 })
    // Those that were taken over end last. While they run a page that looks seldom may not see them.
    await other.shows('.lane.completed', 'attempt 2')
    await frozen.shows('.notice', 'Thawed')
    await frozen.scores({ acknowledged: 8, done: 8, lost: 0, twice: 0 })
  })

  journey('jobs of a tab that crashes are done by another one at once, each once', async ({ visit }) => {
    const [crashing, other] = await Promise.all([visit(), visit()])
    await other.press('8 errands of 4 s')
    await crashing.laneCounts('running', 8)
    await crashing.tab.crash()
    // Its sessions end with it, long before a lease is over.
    await other.eventually(() => document.querySelectorAll('.session').length, 2)
    await other.scores({ acknowledged: 8, done: 8, lost: 0, twice: 0 })
    await other.shows('.lane.completed', 'attempt 2')
    await crashing.abandon()
  })

  jobJourneys(journey, async (visitor) => {
    await visitor.press('Hang for ever')
    await visitor.abandon()
  })
  panelJourneys(journey)

  journey('a second tab that closes by its button leaves its jobs to the first', async ({ visit }) => {
    const first = await visit()
    const opened = first.tab.page.browser().waitForTarget((target) => target.opener() !== undefined, { timeout: 0 })
    await first.tab.click((selector) => document.querySelector(selector), '#break a')
    const tab = await ChromiumTab.of(await (await opened).asPage())
    await tab.page.bringToFront()
    const second = await new Visitor(tab).arrive()
    await second.press('8 errands of 4 s')
    await second.laneCounts('running', 8)
    // The page is gone before it answers.
    await second.press('Close this tab').catch(() => undefined)
    await vi.waitFor(() => expect(tab.page.isClosed()).toBe(true), PATIENCE)
    await first.scores({ acknowledged: 8, done: 8, lost: 0, twice: 0 })
    await first.eventually(() => document.querySelectorAll('.session').length, 2)
    // The one that ticks while the tab is hidden runs no jobs, and is none to kill.
    expect(await first.tab.evaluate(() => document.querySelectorAll('.workers li').length)).toBe(2)
  })
})

// By itself, since keys and the clipboard are the business of the tab in front.
journey('by keyboard, in the dark, on a narrow phone: nothing in the way, forbidden or jumping', async ({ visit }) => {
  const visitor = await visit()
  const { tab } = visitor
  const complaints: string[] = []
  tab.page.on('console', (message) => complaints.push(message.text()))
  tab.page.on('pageerror', (error) => complaints.push(String(error)))
  await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
  await tab.page.setViewport({ width: 360, height: 740 })
  // What it says while it loads is to be heard as well.
  await visitor.reload()

  await tab.page.keyboard.press('Tab')
  expect(await tab.evaluate(() => document.activeElement?.textContent.trim())).toBe('Skip to the jobs')
  await tab.page.keyboard.press('Enter')
  expect(await tab.evaluate(() => document.activeElement?.tagName)).toBe('MAIN')
  // The list of files is first, the button of the errands comes after it.
  await tab.page.keyboard.press('Tab')
  await tab.page.keyboard.press('Tab')
  expect(await tab.evaluate(() => document.activeElement?.textContent)).toBe('8 errands of 4 s')
  expect(await tab.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe('solid')
  await tab.page.keyboard.press('Enter')
  await visitor.laneCounts('running', 4)

  expect(await barriersOf(tab)).toEqual([])
  expect(await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
  const jumps = await tab.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value
        }).observe({ type: 'layout-shift', buffered: true })
        setTimeout(() => resolve(sum), 100)
      }),
  )
  // What web.dev calls good is below 0.1.
  expect(jumps).toBeLessThan(0.05)
  expect(complaints).toEqual([])

  const permission = { name: 'clipboard-read' }
  const { origin } = new URL(tab.page.url())
  await tab.page.browserContext().setPermission(origin, { permission, state: 'granted' })
  await tab.page.bringToFront()
  await tab.page.click('#kit > button')
  await visitor.shows('.notice', 'The results are in the clipboard.')
  expect(await tab.evaluate(() => navigator.clipboard.readText())).toBe('Not run yet.')
})
