// What `npm run bench` says before it measures anything.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './clone.ts'

const bench = (word: string) => spawnSync(process.execPath, [join(root, 'bench/main.mjs'), word], { encoding: 'utf8' })

test('--help says what can be measured: exit code 0', () => {
  const { status, stdout, stderr } = bench('--help')
  expect(stdout).toMatch(/^npm run bench \[-- NAME …\]\n/)
  expect(stdout).toContain('node-fs-enqueue')
  expect(stderr).toBe('')
  expect(status).toBe(0)
})

test('what cannot be measured is named, with what can: exit code 2', () => {
  const { status, stderr } = bench('speed')
  expect(stderr).toMatch(/^No such measurement: speed\. There are: drain, /)
  expect(status).toBe(2)
})
