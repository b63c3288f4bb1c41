import type { ElementHandle, Page } from 'puppeteer-core'

/** Moves the pointer to what the function finds in the page, scrolled to, and clicks: what lies above it gets the click. */
export async function clickIn<Argument>(
  page: Page,
  find: (argument: Argument) => Element | null | undefined,
  argument: Argument,
): Promise<void> {
  const handle = await page.evaluateHandle(find as (argument: unknown) => unknown, argument)
  const found = handle.asElement() as ElementHandle | null
  if (found === null) throw new Error(`There is nothing to click: ${JSON.stringify(argument)}`)
  await found.click()
  // Not awaited: a page that the click has frozen answers nothing more.
  void found.dispose().catch(() => undefined)
}
