import { expect, vi } from 'vitest'
import type { Tab } from './browser.ts'

/** How long a visitor waits for something to show, ms. Not `expect.poll`, which has no test to be of when several go at once. */
export const PATIENCE = { timeout: 60_000, interval: 100 }

/** A file by name and type, and what it holds: a text, or `null` for a real picture. */
type Given = readonly [name: string, type: string, text: string | null]

/** What a person does on the playground and sees there. */
export class Visitor<Own extends Tab = Tab> {
  readonly tab: Own
  hasLeft = false

  constructor(tab: Own) {
    this.tab = tab
  }

  /** Waits until the page shows its numbers. */
  async arrive(): Promise<this> {
    await this.eventually(() => /^\d/.test(document.getElementById('acknowledged')?.textContent ?? ''), true)
    return this
  }

  async reload(): Promise<void> {
    await this.triedNothingForbidden()
    await this.tab.reload()
    await this.arrive()
  }

  /** Closes the tab, in which nothing forbidden was tried. */
  async leave(): Promise<void> {
    await this.triedNothingForbidden()
    await this.abandon()
  }

  /** Since the page began to load. */
  async triedNothingForbidden(): Promise<void> {
    expect(await this.tab.evaluate(() => (globalThis as { violations?: unknown }).violations)).toEqual([])
  }

  /** Closes a tab that may answer no more. */
  async abandon(): Promise<void> {
    this.hasLeft = true
    await this.tab.close()
  }

  /** Presses a button, once there is one of this name that can be pressed. */
  async press(name: string): Promise<void> {
    await vi.waitFor(async () => expect(await this.tab.evaluate(canBePressed, name)).toBe(true), PATIENCE)
    await this.tab.click(
      (label) => [...document.querySelectorAll('button')].find(({ textContent }) => textContent.trim() === label),
      name,
    )
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

  chooseFiles(files: readonly Given[]): Promise<void> {
    return this.tab.evaluate(handOver, { files, dropOn: null })
  }

  /** Drags files onto the page and lets go of them over what a selector names. */
  dropFiles(files: readonly Given[], dropOn = '.drop'): Promise<void> {
    return this.tab.evaluate(handOver, { files, dropOn })
  }

  /** Writes into the field that a selector names. */
  async write(field: string, text: string): Promise<void> {
    await this.tab.evaluate(
      ([selector = '', value = '']) => {
        const element = document.querySelector<HTMLInputElement | HTMLTextAreaElement>(selector)
        if (element === null) throw new Error(`There is no ${selector}`)
        element.value = value
        element.dispatchEvent(new Event('input', { bubbles: true }))
      },
      [field, text],
    )
  }

  /** Opens all that is known of a job, once a card of it stands in the lane. */
  async openJob(lane: string, title: string): Promise<void> {
    await this.shows(`.lane.${lane}`, title)
    // It may move on to another lane just then.
    const open = (): Promise<void> =>
      this.tab.click(
        ([name, text = '']) =>
          [...document.querySelectorAll(`.lane.${name} .card`)].find(({ textContent }) => textContent.includes(text)),
        [lane, title],
      )
    await vi.waitFor(open, PATIENCE)
  }

  toggleOffline(): Promise<void> {
    return this.tab.click((selector) => document.querySelector(selector), '[role=switch]')
  }

  /** The four numbers at the top. */
  score(): Promise<{ acknowledged: number; done: number; lost: number; twice: number }> {
    return this.tab.evaluate(() => {
      const read = (id: string): number => Number(document.getElementById(id)?.textContent.replaceAll(',', ''))
      return { acknowledged: read('acknowledged'), done: read('done'), lost: read('lost'), twice: read('twice') }
    })
  }

  async scores(expected: Partial<Awaited<ReturnType<Visitor['score']>>>): Promise<void> {
    await vi.waitFor(async () => expect(await this.score()).toMatchObject(expected), PATIENCE)
  }

  /** The number beside the title of a lane. */
  async laneCounts(lane: string, expected: number): Promise<void> {
    await this.shows(`.lane.${lane} .count`, new RegExp(`^${expected.toLocaleString('en')}$`))
  }

  /** Of the job that is open: how many of its attempts have ended. */
  async endedAttempts(expected: number): Promise<void> {
    await this.eventually(() => document.querySelectorAll('dialog[open] .history li').length, expected)
  }

  /** Looks from within, since what is there for a second only may be gone before somebody outside looks again. */
  async shows(selector: string, text: string | RegExp): Promise<void> {
    const wanted = typeof text === 'string' ? { selector, part: text } : { selector, pattern: text.source }
    await vi.waitFor(async () => expect(await this.tab.evaluate(whenShown, wanted)).toMatch(text), PATIENCE)
  }

  async eventually(look: () => unknown, expected: unknown): Promise<void> {
    await vi.waitFor(async () => expect(await this.tab.evaluate(look)).toEqual(expected), PATIENCE)
  }
}

// These run in the page, so all that they need stands within.

/** Has a page note what breaks its policy, before its first script. */
export function noteViolations(): void {
  const violations: string[] = []
  Object.assign(globalThis, { violations })
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    violations.push(`${effectiveDirective}: ${blockedURI}`)
  })
}

/** Answers the text of an element as soon as it is the one that is wanted, and after some seconds whatever it is. */
function whenShown(wanted: { selector: string; part?: string; pattern?: string }): Promise<string> {
  const { selector, part = '', pattern } = wanted
  const end = performance.now() + 5000
  return new Promise((resolve) => {
    const look = (): void => {
      const text = document.querySelector(selector)?.textContent ?? ''
      const isWanted = pattern === undefined ? text.includes(part) : new RegExp(pattern).test(text)
      if (!isWanted && performance.now() < end) return
      observer.disconnect()
      clearInterval(timer)
      resolve(text)
    }
    const observer = new MutationObserver(look)
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
    const timer = setInterval(look, 100)
    look()
  })
}

function canBePressed(label: string): boolean {
  const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent.trim() === label)
  return button !== undefined && !button.disabled && button.ariaDisabled !== 'true'
}

async function handOver({ files, dropOn }: { files: readonly Given[]; dropOn: string | null }): Promise<void> {
  const dataTransfer = new DataTransfer()
  for (const [name, type, text] of files) {
    const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 200 })
    canvas.getContext('2d')?.fillRect(0, 0, 200, 200)
    const content = text ?? (await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type))) ?? ''
    dataTransfer.items.add(new File([content], name, { type }))
  }
  if (dropOn !== null) {
    const place = document.querySelector(dropOn)
    for (const kind of ['dragover', 'drop'])
      if (place?.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer })) !== false)
        throw new Error(`The browser would open what is dropped: nobody takes the ${kind} on ${dropOn}`)
  } else {
    const input = document.querySelector('input[type=file]') as HTMLInputElement
    input.files = dataTransfer.files
    input.dispatchEvent(new Event('change', { bubbles: true }))
  }
}
