// `stopOnSignals` in processes of their own, on the built package: a signal ends a process, so no test can take one.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeFs } from 'holdfast/node-fs'
import { openQueue } from 'holdfast'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from './built-package.ts'

let directory = ''
const children: ChildProcess[] = []

beforeEach(() => {
  mkdirSync(join(root, '.holdfast'), { recursive: true })
  directory = mkdtempSync(join(root, '.holdfast', 'signals-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

interface Running {
  readonly heeds: boolean
  readonly grace: string
  /** It tells itself the first signal once more, by a clock that stands still until that has come. */
  readonly repeats?: boolean
  /** What it does last when it is told of the first signal. */
  readonly last?: string
}

/** A process with one job that runs until its signal aborts, or for ever. */
async function running({ heeds, grace, repeats = false, last = '' }: Running): Promise<ChildProcess> {
  const program = `
    import { defineJob, openQueue } from 'holdfast'
    import { stopOnSignals } from 'holdfast/node'
    import { nodeFs } from 'holdfast/node-fs'
    const work = defineJob({ type: 'work' })
    const queue = await openQueue({ storage: nodeFs({ directory: ${JSON.stringify(directory)} }), jobs: [work] })
    const start = performance.now()
    const handler = work.handler((_, { signal }) => {
      if (${repeats}) performance.now = () => start
      console.log('running')
      return new Promise((_, reject) => {
        if (${heeds}) signal.addEventListener('abort', () => reject(signal.reason))
      })
    })
    const repeat = (signal) => {
      process.once(signal, () => {
        delete performance.now
        console.log('heard it again')
      })
      process.kill(process.pid, signal)
    }
    const onStop = (signal) => {
      console.log('stopping by ' + signal)
      if (${repeats}) repeat(signal)
      ${last}
    }
    stopOnSignals(queue, { grace: '${grace}', onStop })
    await queue.createExecutor({ handlers: [handler] }).start()
    await queue.enqueue(work, { some: 'payload' }, { id: 'work' })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: root, stdio: 'pipe' })
  children.push(child)
  // What it is to fail with is for the test alone.
  if (last === '') child.stderr.pipe(process.stderr)
  await said(child, 'running')
  return child
}

function said(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (data: Buffer) => {
      if (data.toString().includes(text)) resolve()
    })
    // Not `exit`: what it said may still be on its way then.
    child.on('close', (code) => {
      reject(new Error(`ended with ${code} before it said '${text}'`))
    })
  })
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('exit', resolve))
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s gives running jobs back, counted as nothing, and the exit code says so', async (signal, code) => {
  const child = await running({ heeds: true, grace: '200ms' })
  const end = ended(child)
  const stopping = said(child, `stopping by ${signal}`)
  child.kill(signal)
  await stopping
  expect(await end).toBe(code)
  const queue = await openQueue({ storage: nodeFs({ directory }) })
  expect(await queue.get('work')).toMatchObject({ status: 'pending', attempts: 0, payload: { some: 'payload' } })
  await queue.close()
})

test.each([
  ['throws', "throw new Error('not told')"],
  ['answers by a promise that rejects', "return Promise.reject(new Error('not told'))"],
])('an `onStop` that %s keeps no job from being given back, and nobody from hearing of it', async (_, last) => {
  const child = await running({ heeds: true, grace: '200ms', last })
  const end = new Promise((resolve) => child.on('close', resolve))
  let heard = ''
  child.stderr?.on('data', (data: Buffer) => (heard += data.toString()))
  child.kill('SIGTERM')
  expect(await end).toBe(1)
  expect(heard).toContain('not told')
  const queue = await openQueue({ storage: nodeFs({ directory }) })
  expect(await queue.get('work')).toMatchObject({ status: 'pending', attempts: 0 })
  await queue.close()
})

test('the second signal ends it at once, a repeat of the first within 300 ms does not', async () => {
  const child = await running({ heeds: false, grace: '60s', repeats: true })
  const end = ended(child)
  const repeated = said(child, 'heard it again')
  child.kill('SIGINT')
  await repeated
  expect(await Promise.race([end, sleep(400).then(() => 'still there')])).toBe('still there')
  child.kill('SIGINT')
  expect(await end).toBe(130)
})
