import { test } from 'vitest'
import { startPlayground } from './playground-server.ts'
import { Visitor } from './playground-visitor.ts'
import { startWebKit } from './webkit.ts'

// The journeys go in Chromium and Firefox: the driver of WebKitGTK has one tab, in a private window, which keeps no Blobs.
test('where a file cannot be kept the page says so, and all else goes on', async () => {
  await using playground = await startPlayground()
  await using browser = await startWebKit()
  const visitor = await new Visitor(await browser.open(playground.address)).arrive()
  await visitor.dropFiles([['notes.txt', 'text/plain', 'hold fast']])
  await visitor.shows('.notice', /^HOLDFAST_PAYLOAD_FORMAT: `items\[0\]\.payload\.file`.* a private one/)
  await visitor.press('3 webhooks')
  await visitor.scores({ acknowledged: 3, done: 3, lost: 0, twice: 0 })
})
