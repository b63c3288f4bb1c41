import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeFolder } from '../../scripts/remove-folder.mjs'

/** Makes files in a folder, as long as it is there, and says when the first ones are there. */
const WRITER = `
  const { writeFileSync } = require('node:fs')
  for (let n = 0; ; n++) {
    writeFileSync(process.argv[1] + '/' + n, '')
    if (n === 200) console.log('writes')
  }`

test('a folder is removed in which another process writes meanwhile', async () => {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-removal-'))
  try {
    const folder = join(home, 'profile')
    mkdirSync(folder)
    const writer = spawn(process.execPath, ['-e', WRITER, folder], { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(writer, 'exit')
    try {
      await once(writer.stdout, 'data')
      await removeFolder(folder)
      expect(existsSync(folder)).toBe(false)
      // It found no folder to write into any more.
      expect(await ended).toEqual([1, null])
      expect(readdirSync(home)).toEqual([])
    } finally {
      writer.kill('SIGKILL')
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})
