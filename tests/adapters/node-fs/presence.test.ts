// Real sockets and real processes: what the system says of a process that is gone is the point. The clock is the test's, so
// that it depends on nobody's speed; what the system does is waited for, however long it takes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SocketPresence } from '../../../src/adapters/node-fs/presence.ts'

/** A process is over when it was refused twice, this far apart, ms. */
const TWICE = 1000
/** Longer than any time between two looks, ms. */
const LOOK = 500

const startTimer = globalThis.setTimeout

let folder = ''
let me: SocketPresence
const ends: (() => unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-presence-'))
  me = new SocketPresence('me')
  await me.open(folder)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(async () => {
  vi.useRealTimers()
  for (const end of ends.splice(0)) await end()
  await me.close()
  await rm(folder, { recursive: true })
})

/** A while of real time: what the system has to say by now is heard. Nothing may depend on how much that is. */
const aWhile = (): Promise<void> => new Promise((resolve) => startTimer(resolve, 20))

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await aWhile()
}

/** Lets time pass for the presence until `condition` holds. */
function inTime(condition: () => boolean | Promise<boolean>): Promise<void> {
  return until(async () => {
    await vi.advanceTimersByTimeAsync(LOOK)
    await aWhile()
    return condition()
  })
}

interface Address {
  readonly host: string
  readonly socket: string
}

const address = (socket: string): Address => ({ host: (me.self as Address).host, socket: join(folder, socket) })

/** Grows when one is found to be over. */
function watch(...others: readonly unknown[]): unknown[] {
  const found: unknown[] = []
  ends.push(
    me.watch(
      () => others,
      () => found.push(others.filter((other) => me.isOver(other))),
    ),
  )
  return found
}

interface Listening {
  readonly process: ChildProcess
  /** Somebody is connected. */
  asked(): boolean
}

/** A process of its own that listens. */
async function listener(socket: string): Promise<Listening> {
  const program = `require('node:net').createServer(() => console.log('asked')).listen(${JSON.stringify(join(folder, socket))}, () => console.log('listens'))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  ends.push(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  await until(() => said.includes('listens'))
  return { process: child, asked: () => said.includes('asked') }
}

/** The socket of a process that is gone. */
async function deadAt(socket: string): Promise<Address> {
  const { process } = await listener(socket)
  process.kill('SIGKILL')
  await once(process, 'exit')
  return address(socket)
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

/** The next look, the sweep, and the second question to one that was refused. */
const REFUSED_ONCE = 3

test('a process that is killed is asked at once, and over when it is refused again a second later; one that lives or is paused is not', async () => {
  const [killed, paused] = [await listener('killed.sock'), await listener('paused.sock')]
  const lives = await listener('lives.sock')
  const others = ['killed.sock', 'paused.sock', 'lives.sock'].map(address)
  const found = watch(...others)
  await until(() => [killed, paused, lives].every((one) => one.asked()))
  paused.process.kill('SIGSTOP')
  // Whoever hangs up at once would be there, and is not asked before the next look.
  await vi.advanceTimersByTimeAsync(LOOK + 1)
  await aWhile()
  expect(found).toEqual([])
  killed.process.kill('SIGKILL')
  // No time passes meanwhile: a look would be late.
  await until(() => vi.getTimerCount() === REFUSED_ONCE)
  await vi.advanceTimersByTimeAsync(TWICE - 1)
  await aWhile()
  expect(found).toEqual([])
  await vi.advanceTimersByTimeAsync(2)
  await until(() => found.length > 0)
  for (let look = 0; look < 10; look++) await vi.advanceTimersByTimeAsync(LOOK).then(aWhile)
  expect(found).toEqual([[others[0]]])
})

test('a process that dies before it has taken the connection is asked again at once', async () => {
  const dying = await listener('dying.sock')
  // The system takes the connection for it.
  dying.process.kill('SIGSTOP')
  watch(address('dying.sock'))
  await aWhile()
  dying.process.kill('SIGKILL')
  await until(() => vi.getTimerCount() === REFUSED_ONCE)
})

test('one that was gone before anybody looked is over as soon', async () => {
  const found = watch(await deadAt('gone.sock'))
  await until(() => vi.getTimerCount() === REFUSED_ONCE)
  expect(found).toEqual([])
  await vi.advanceTimersByTimeAsync(TWICE + 1)
  await until(() => found.length > 0)
})

test('who is there is asked once, and not again and again', async () => {
  const other = await counting('other.sock', false)
  watch(address('other.sock'))
  await until(() => other.came > 0)
  for (let look = 0; look < 10; look++) await vi.advanceTimersByTimeAsync(LOOK).then(aWhile)
  expect(other.came).toBe(1)
})

test('who hangs up is asked again by the next look and not before, and is not over', async () => {
  const other = await counting('other.sock', true)
  const found = watch(address('other.sock'))
  await until(() => other.came > 0)
  for (let look = 0; look < 10; look++) await aWhile()
  expect(other.came).toBe(1)
  for (const times of [2, 3, 4]) await inTime(() => other.came >= times)
  expect(found).toEqual([])
})

test('of another machine, of another boot, and without a socket: nothing is known', async () => {
  const elsewhere = { ...(await deadAt('gone.sock')), host: 'elsewhere' }
  const found = watch(elsewhere, address('never.sock'), 'no address', null)
  for (let look = 0; look < 10; look++) await vi.advanceTimersByTimeAsync(LOOK).then(aWhile)
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

test('closing takes the socket away and waits for nobody who is connected', async () => {
  const other = new SocketPresence('other')
  await other.open(folder)
  const connection = connect((other.self as Address).socket)
  await once(connection.resume(), 'connect')
  await aWhile()
  const end = once(connection, 'close')
  await other.close()
  await end
  expect(await readdir(folder)).toHaveLength(1)
})

test('the socket of a process that is over goes with its last session', async () => {
  let named: readonly unknown[] = [await deadAt('gone.sock')]
  const found: number[] = []
  ends.push(
    me.watch(
      () => named,
      () => found.push(0),
    ),
  )
  await inTime(() => found.length > 0)
  expect(await readdir(folder)).toContain('gone.sock')
  named = []
  await inTime(async () => !(await readdir(folder)).includes('gone.sock'))
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
    await inTime(async () => !(await readdir(folder)).includes(gone))
    for (const { socket } of [one, two]) expect(await readdir(folder)).toContain(basename(socket))
  })

  test('and left alone where a session names it, whatever it calls its host', async () => {
    const gone = await left()
    const named = await left(join(long, 'other'))
    await rename(join(folder, named), join(folder, gone.replace(GONE, 'NAMENAMENAME')))
    sweeps(await opened('oneoneoneone'), [
      { host: 'another container', socket: join(folder, gone.replace(GONE, 'NAMENAMENAME')) },
    ])
    await inTime(async () => !(await readdir(folder)).includes(gone))
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
    // The next look, and the sweep that waits for its own.
    const waits = (): boolean => vi.getTimerCount() === 2
    await until(waits)
    await vi.advanceTimersByTimeAsync(TWICE)
    await until(waits)
    // A name is bound before its process listens, and it may be paused in between.
    await rm(join(folder, starts))
    await counting(starts, false)
    await inTime(async () => !(await readdir(folder)).includes(gone))
    await aWhile()
    expect(await readdir(folder)).toEqual(expect.arrayContaining([elsewhere, file, starts]))
  })
})
