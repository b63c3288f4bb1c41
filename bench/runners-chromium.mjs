// An endless loop in a Web Worker, ended by its timeout.
import { inBrowser } from './browsers.mjs'
import { hangingRows } from './runners.hanging.mjs'
import { report } from './work.mjs'

const scripts = {
  '/page.js': new URL('runners.page.mjs', import.meta.url),
  '/worker.js': new URL('runners.web-worker.mjs', import.meta.url),
}
const rows = await inBrowser(
  'chromium',
  async ({ open }) => {
    const { page } = await open()
    return hangingRows(' in Chromium', await page.measured(false), await page.measured(true))
  },
  scripts,
)
report(rows)
