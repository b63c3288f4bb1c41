import { expect, test } from 'vitest'
import { startFirefox } from './firefox.ts'
import { freshProfile } from './profile.ts'
import { LONG, NOTHING_BROKEN, randomSeed } from './proof.ts'
import { torment } from './torment.ts'

// Nothing crashes or freezes its tabs from outside, so it shows less than Chromium does: in the long form only, since
// `npm test` has twelve minutes.
test.runIf(LONG)(
  'tabs are closed and reloaded: no job is lost and none is accepted twice',
  { timeout: 240_000 },
  async () => {
    await using profile = await freshProfile()
    await using browser = await startFirefox({ profile })
    const { summary, findings, acknowledged } = await torment({
      browser,
      seconds: 60,
      jobs: 2000,
      seed: randomSeed(),
    })
    console.log(summary)
    expect(acknowledged).toBe(2000)
    expect(findings).toEqual(NOTHING_BROKEN)
  },
)
