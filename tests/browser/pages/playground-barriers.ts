import type { Tab } from './browser.ts'

/** What would stand in the way of somebody with a keyboard, a screen reader or poor sight; one line each. */
export function barriersOf(tab: Tab): Promise<readonly string[]> {
  return tab.evaluate(findBarriers)
}

// Runs in the page, so all that it needs stands within.
function findBarriers(): readonly string[] {
  const found: string[] = []
  const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)]
  const say = (element: Element, what: string): void => {
    found.push(`${element.outerHTML.slice(0, 90)}: ${what}`)
  }

  const nameOf = (element: HTMLElement): string =>
    element.getAttribute('aria-label') ??
    document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent ??
    element.closest('label')?.textContent ??
    element.textContent
  for (const element of all('a, button, input, select, textarea, progress, [role=img], section, dialog[open]'))
    if (nameOf(element).trim() === '') say(element, 'has no name')
  for (const element of all('img:not([alt])')) say(element, 'has no alternative text')
  for (const element of all('[onclick]:not(button):not(a):not(summary)')) say(element, 'is no real button')
  for (const element of all('[tabindex]')) if (element.tabIndex > 0) say(element, 'is out of the order of the page')

  for (const [selector, count] of [
    ['h1', 1],
    ['main', 1],
    ['header', 1],
    ['footer', 1],
    ['[role=status]', 1],
  ] as const)
    if (all(selector).length !== count) found.push(`${all(selector).length} of ${selector}, not ${count}`)
  if (document.documentElement.lang === '') found.push('the page has no language')
  const ids = all('[id]').map(({ id }) => id)
  for (const id of new Set(ids.filter((name, at) => ids.indexOf(name) !== at)))
    found.push(`the id ${id} is there twice`)
  let level = 0
  for (const heading of all('h1, h2, h3, h4')) {
    const next = Number(heading.tagName.slice(1))
    if (next > level + 1) say(heading, 'skips a level')
    level = next
  }

  // Contrast by WCAG 2.2 (1.4.3): 4.5 for all text, since none of it is large but the title and the four numbers.
  const canvas = document
    .createElement('canvas')
    .getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  const channels = (colour: string): number[] => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const luminance = (colour: string): number =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => {
      const part = (channels(colour)[at] ?? 0) / 255
      return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    }, 0)
  const backgroundOf = (element: Element | null): string => {
    if (element === null) return 'white'
    const { backgroundColor } = getComputedStyle(element)
    return channels(backgroundColor)[3] === 0 ? backgroundOf(element.parentElement) : backgroundColor
  }
  for (const element of all('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== '')
    if (!hasText || !element.checkVisibility() || element.matches(':disabled')) continue
    const [light = 1, dark = 0] = [getComputedStyle(element).color, backgroundOf(element)]
      .map(luminance)
      .sort((a, b) => b - a)
    const contrast = (light + 0.05) / (dark + 0.05)
    if (contrast < 4.5) say(element, `has a contrast of ${contrast.toFixed(2)}`)
  }
  return found
}
