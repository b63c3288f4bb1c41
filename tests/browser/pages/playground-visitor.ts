import { expect } from 'vitest'
import type { Tab } from './browser.ts'

/** How long a visitor waits for something to show, ms. */
const PATIENCE = { timeout: 30_000, interval: 100 }

/** What a person does on the playground and sees there. */
export class Visitor {
  readonly tab: Tab

  constructor(tab: Tab) {
    this.tab = tab
  }

  /** Waits until the page shows its numbers. */
  async arrive(): Promise<this> {
    await this.eventually(() => /^\d/.test(document.getElementById('acknowledged')?.textContent ?? ''), true)
    return this
  }

  async press(name: string): Promise<void> {
    const pressed = await this.tab.evaluate((label) => {
      const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent.trim() === label)
      button?.click()
      return button !== undefined && !button.disabled
    }, name)
    if (!pressed) throw new Error(`There is no button ${name} to press`)
  }

  /** Chooses an option of the list with this label. */
  async choose(label: string, option: string): Promise<void> {
    await this.tab.evaluate(
      ([name, value]) => {
        const list = [...document.querySelectorAll('label')].find(({ textContent }) =>
          textContent.startsWith(name ?? ''),
        )
        const select = list?.querySelector('select') as HTMLSelectElement
        select.value = value ?? ''
        select.dispatchEvent(new Event('change', { bubbles: true }))
      },
      [label, option],
    )
  }

  /** Chooses files, each by name, type and text. */
  async chooseFiles(files: readonly (readonly [name: string, type: string, text: string])[]): Promise<void> {
    await this.tab.evaluate((given) => {
      const input = document.querySelector('input[type=file]') as HTMLInputElement
      const transfer = new DataTransfer()
      for (const [name, type, text] of given) transfer.items.add(new File([text], name, { type }))
      input.files = transfer.files
      input.dispatchEvent(new Event('change', { bubbles: true }))
    }, files)
  }

  toggleOffline(): Promise<void> {
    return this.tab.evaluate(() => (document.querySelector('[role=switch]') as HTMLInputElement).click())
  }

  /** The four numbers at the top. */
  score(): Promise<{ acknowledged: number; done: number; lost: number; twice: number }> {
    return this.tab.evaluate(() => {
      const read = (id: string): number => Number(document.getElementById(id)?.textContent.replaceAll(',', ''))
      return { acknowledged: read('acknowledged'), done: read('done'), lost: read('lost'), twice: read('twice') }
    })
  }

  async scores(expected: Partial<Awaited<ReturnType<Visitor['score']>>>): Promise<void> {
    await expect.poll(() => this.score(), PATIENCE).toMatchObject(expected)
  }

  /** The number beside the title of a lane. */
  async laneCounts(lane: string, expected: number): Promise<void> {
    const read = (title: string): number =>
      Number(document.querySelector(`.lane.${title} .count`)?.textContent.replaceAll(',', ''))
    await expect.poll(() => this.tab.evaluate(read, lane), PATIENCE).toBe(expected)
  }

  async shows(selector: string, text: string | RegExp): Promise<void> {
    const read = (wanted: string): string => document.querySelector(wanted)?.textContent ?? ''
    await expect.poll(() => this.tab.evaluate(read, selector), PATIENCE).toMatch(text)
  }

  async eventually(look: () => unknown, expected: unknown): Promise<void> {
    await expect.poll(() => this.tab.evaluate(look), PATIENCE).toEqual(expected)
  }
}
