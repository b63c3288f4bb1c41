// The first page of 100,000 jobs in a browser, by status: see list.mjs.
import { inBrowser } from './browsers.mjs'
import { report } from './work.mjs'

await inBrowser('chromium', async ({ open }) => {
  const { page } = await open()
  report(await page.lists())
})
