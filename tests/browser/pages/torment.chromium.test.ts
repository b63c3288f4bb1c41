import { expect, test } from 'vitest'
import { startChromium } from './chromium.ts'
import { freshProfile } from './profile.ts'
import { LONG, NOTHING_BROKEN, randomSeed } from './proof.ts'
import { torment } from './torment.ts'

test('tabs are closed, crashed, frozen and reloaded: no job is lost and none is accepted twice', {
  timeout: 420_000,
}, async () => {
  await using profile = await freshProfile()
  await using browser = await startChromium({ profile })
  const { summary, findings, acknowledged } = await torment({
    browser,
    seconds: LONG ? 60 : 15,
    jobs: 2000,
    seed: randomSeed(),
  })
  console.log(summary)
  expect(acknowledged).toBe(2000)
  expect(findings).toEqual(NOTHING_BROKEN)
})
