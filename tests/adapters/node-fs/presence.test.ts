// Real sockets and real processes, in real time: what the system says of a process that is gone is the point.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SocketPresence } from '../../../src/adapters/node-fs/presence.ts'

let folder = ''
let me: SocketPresence
const ends: (() => unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-presence-'))
  me = new SocketPresence('me')
  await me.open(folder)
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await me.close()
  await rm(folder, { recursive: true })
})

interface Address {
  readonly host: string
  readonly socket: string
}

const address = (socket: string): Address => ({ host: (me.self as Address).host, socket: join(folder, socket) })

/** Calls back with the moments at which one was found to be over. */
function watch(...others: readonly unknown[]): number[] {
  const found: number[] = []
  ends.push(
    me.watch(
      () => others,
      () => found.push(performance.now()),
    ),
  )
  return found
}

/** A process of its own that listens. */
async function listener(socket: string): Promise<ChildProcess> {
  const program = `require('node:net').createServer(() => {}).listen(${JSON.stringify(join(folder, socket))}, () => console.log('listens'))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  ends.push(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

/** Listens in this process, and counts who comes. */
async function counting(socket: string, hangsUp: boolean): Promise<{ readonly came: number }> {
  const count = { came: 0 }
  const server = createServer((connection) => {
    count.came += 1
    connection.on('error', () => undefined)
    if (hangsUp) connection.destroy()
    else ends.push(() => connection.destroy())
  })
  ends.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(join(folder, socket), resolve))
  return count
}

test('a process that is killed is over a second later, and one that lives or is paused is not', async () => {
  const [killed, paused] = [await listener('killed.sock'), await listener('paused.sock'), await listener('lives.sock')]
  const others = ['killed.sock', 'paused.sock', 'lives.sock'].map(address)
  const found = watch(...others)
  paused.kill('SIGSTOP')
  await sleep(1500)
  expect(found).toEqual([])
  const kill = performance.now()
  killed.kill('SIGKILL')
  await vi.waitFor(() => expect(found).toHaveLength(1), { timeout: 5000, interval: 5 })
  expect((found[0] ?? 0) - kill).toBeGreaterThanOrEqual(1000)
  // Asked at once, and once more a second later: a poll would add half of its interval.
  expect((found[0] ?? 0) - kill).toBeLessThan(1250)
  expect(others.map((other) => me.isOver(other))).toEqual([true, false, false])
})

test('one that was gone before anybody looked is over as soon', async () => {
  const gone = await listener('gone.sock')
  gone.kill('SIGKILL')
  await once(gone, 'exit')
  const start = performance.now()
  const found = watch(address('gone.sock'))
  await vi.waitFor(() => expect(found).toHaveLength(1), { timeout: 5000, interval: 5 })
  expect((found[0] ?? 0) - start).toBeLessThan(1250)
})

test('who is there is asked once, and not again and again', async () => {
  const other = await counting('other.sock', false)
  watch(address('other.sock'))
  await sleep(1500)
  expect(other.came).toBe(1)
})

test('who hangs up is asked again now and then, and is not over', async () => {
  const other = await counting('other.sock', true)
  const found = watch(address('other.sock'))
  await sleep(1600)
  expect(other.came).toBeGreaterThan(2)
  expect(other.came).toBeLessThan(12)
  expect(found).toEqual([])
})

test('of another machine, of another boot, and without a socket: nothing is known', async () => {
  const gone = await listener('gone.sock')
  gone.kill('SIGKILL')
  await once(gone, 'exit')
  const elsewhere = { ...address('gone.sock'), host: 'elsewhere' }
  const found = watch(elsewhere, address('never.sock'), 'no address', null)
  await sleep(2200)
  expect(found).toEqual([])
  expect(me.isOver(elsewhere)).toBe(false)
})

test('what was proven of a process that closed is not said of it when it has opened again', async () => {
  const other = new SocketPresence('other')
  await other.open(folder)
  const first = other.self
  await other.close()
  await other.open(folder)
  const second = other.self
  ends.push(() => other.close())
  expect(second).not.toEqual(first)
})

test('closing takes the socket away at once, though others are connected', async () => {
  const other = new SocketPresence('other')
  await other.open(folder)
  watch(other.self)
  await sleep(200)
  const start = performance.now()
  await other.close()
  expect(performance.now() - start).toBeLessThan(500)
  expect(await readdir(folder)).toHaveLength(1)
})

test('the socket of a process that is over goes with its last session', async () => {
  const gone = await listener('gone.sock')
  let named: readonly unknown[] = [address('gone.sock')]
  const found: number[] = []
  ends.push(
    me.watch(
      () => named,
      () => found.push(0),
    ),
  )
  await sleep(600)
  gone.kill('SIGKILL')
  await vi.waitFor(() => expect(found).toHaveLength(1), { timeout: 5000 })
  expect(await readdir(folder)).toContain('gone.sock')
  named = []
  await vi.waitFor(async () => expect(await readdir(folder)).not.toContain('gone.sock'), { timeout: 2000 })
})

describe('sockets of a folder that cannot have them are in the temporary folder', () => {
  const GONE = 'GONEGONEGONE'
  let long = ''
  beforeEach(() => {
    vi.stubEnv('TMPDIR', folder)
    long = join(folder, 'x'.repeat(120))
    return () => vi.unstubAllEnvs()
  })

  async function opened(name: string, path = long): Promise<{ presence: SocketPresence; socket: string }> {
    const presence = new SocketPresence(name)
    await presence.open(path)
    ends.push(() => presence.close())
    return { presence, socket: (presence.self as Address).socket }
  }

  /** The socket that a process leaves which is killed. */
  async function left(path = long): Promise<string> {
    const { presence, socket } = await opened(GONE, path)
    await link(socket, `${socket}.kept`)
    await presence.close()
    await rename(`${socket}.kept`, socket)
    return basename(socket)
  }

  function sweeps({ presence }: { presence: SocketPresence }, named: readonly unknown[] = []): void {
    const stop = presence.watch(
      () => named,
      () => undefined,
    )
    ends.push(stop)
  }

  test('where the path is too long, and where the system gives none there', async () => {
    for (const path of [long, join(folder, 'missing')]) {
      const { presence, socket } = await opened('oneoneoneone', path)
      expect(join(folder, basename(socket))).toBe(socket)
      await presence.close()
    }
  })

  test('and swept when the process is gone and no session names it, by two at once too', async () => {
    const gone = await left()
    const [one, two] = [await opened('oneoneoneone'), await opened('twotwotwotwo')]
    expect(await readdir(folder)).toContain(gone)
    sweeps(one)
    sweeps(two)
    await vi.waitFor(async () => expect(await readdir(folder)).not.toContain(gone), { timeout: 5000 })
    for (const { socket } of [one, two]) expect(await readdir(folder)).toContain(basename(socket))
  })

  test('and left alone where a session names it, whatever it calls its host', async () => {
    const gone = await left()
    const named = await left(join(long, 'other'))
    await rename(join(folder, named), join(folder, gone.replace(GONE, 'NAMENAMENAME')))
    sweeps(await opened('oneoneoneone'), [
      { host: 'another container', socket: join(folder, gone.replace(GONE, 'NAMENAMENAME')) },
    ])
    await vi.waitFor(async () => expect(await readdir(folder)).not.toContain(gone), { timeout: 5000 })
    expect(await readdir(folder)).toContain(gone.replace(GONE, 'NAMENAMENAME'))
  })

  test('and left alone where they are those of another folder, or no sockets, or come to life between two looks', async () => {
    const elsewhere = await left(`${long}-other`)
    const gone = await left()
    const file = gone.replace(GONE, 'FILEFILEFILE')
    await writeFile(join(folder, file), 'mine')
    const starts = gone.replace(GONE, 'STARTSSTARTS')
    await link(join(folder, gone), join(folder, starts))
    sweeps(await opened('oneoneoneone'))
    await sleep(1500)
    // A name is bound before its process listens, and it may be paused in between.
    await rm(join(folder, starts))
    await counting(starts, false)
    await vi.waitFor(async () => expect(await readdir(folder)).not.toContain(gone), { timeout: 5000 })
    await sleep(100)
    expect(await readdir(folder)).toEqual(expect.arrayContaining([elsewhere, file, starts]))
  })
})
