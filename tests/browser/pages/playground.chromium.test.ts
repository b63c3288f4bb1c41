import { expect, test } from 'vitest'
import { startChromium } from './chromium.ts'
import { barriersOf } from './playground-barriers.ts'
import { startPlayground } from './playground-server.ts'
import { visitThePlayground } from './playground.ts'
import { Visitor } from './playground-visitor.ts'
import { freshProfile } from './profile.ts'

visitThePlayground((profile) => startChromium({ profile }))

test('by keyboard, in the dark, on a narrow phone: nothing in the way, nothing forbidden, nothing jumps', async () => {
  await using playground = await startPlayground()
  await using profile = await freshProfile()
  await using browser = await startChromium({ profile })
  const tab = await browser.open(playground.address)
  const complaints: string[] = []
  tab.page.on('console', (message) => complaints.push(message.text()))
  tab.page.on('pageerror', (error) => complaints.push(String(error)))
  await tab.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
  await tab.page.setViewport({ width: 360, height: 740 })
  // What it says while it loads is to be heard as well.
  await tab.reload()
  const visitor = await new Visitor(tab).arrive()

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
})

test('where its port is taken it takes another one', async () => {
  await using first = await startPlayground()
  const taken = Number(new URL(first.address).port)
  await using second = await startPlayground(taken)
  expect(second.address).not.toBe(first.address)
  expect((await fetch(second.address)).status).toBe(200)
})
