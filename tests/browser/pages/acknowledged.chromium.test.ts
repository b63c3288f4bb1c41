import { expect, test } from 'vitest'
import { kill } from './killing.ts'
import { LONG, randomSeed } from './proof.ts'

test('what `enqueue` acknowledged is there after SIGKILL of the browser', { timeout: 600_000 }, async () => {
  const { summary, acknowledged, missing, misreported } = await kill('chromium', LONG ? 50 : 5, randomSeed())
  console.log(summary)
  expect([missing, misreported]).toEqual([[], []])
  expect(acknowledged).toBeGreaterThan(0)
})
