import { readFile, readdir, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Presence } from '../../core/storage/log.ts'

/** Bytes a socket's path may have on every system; a longer one is cut without a word, and two would be one. */
const LONGEST_PATH = 103
/** Between looks at the others, ms. */
const LOOK = 250
/** A process is over when it was refused twice, this far apart, ms. */
const TWICE = 1000

const SUFFIX = '.sock'

/** What a process leaves with its sessions: where it listens, and on which boot of which machine that means something. */
interface Address {
  readonly host: string
  readonly socket: string
}

/**
 * Each process listens on a socket of its own. While it lives, also while it is paused, the system takes connections
 * for it; when it is gone, they are refused. So a refusal, seen twice on the machine and boot where the process ran,
 * proves that it is over, and its jobs need not wait for their lease. Anything else proves nothing.
 * [tests/adapters/node-fs/presence.test.ts]
 */
export class SocketPresence implements Presence {
  readonly #name: string
  #folder = ''
  #self: Address | undefined
  #server: Server | null = null
  /** When each was first refused. */
  readonly #refused = new Map<string, number>()
  readonly #over = new Set<string>()

  /** @param name unique among all processes that ever open the folder */
  constructor(name: string) {
    this.#name = name
  }

  get self(): unknown {
    return this.#self
  }

  /** Begins to listen. Where that cannot be, this process is never proven to be over, and nothing else is lost. */
  async open(folder: string): Promise<void> {
    this.#folder = folder
    const boot = await bootId()
    const socket = [join(folder, `${this.#name}${SUFFIX}`), join(tmpdir(), `holdfast-${this.#name}${SUFFIX}`)].find(
      (path) => Buffer.byteLength(path) <= LONGEST_PATH,
    )
    if (boot === null || socket === undefined) return
    this.#server = await listening(socket)
    if (this.#server !== null) this.#self = { host: `${hostname()} ${boot}`, socket }
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.#self = undefined
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())))
  }

  isOver(process: unknown): boolean {
    return isAddress(process) && this.#over.has(process.socket)
  }

  watch(others: () => Iterable<unknown>, found: () => void): () => void {
    let looking = false
    const look = (): void => {
      if (looking) return
      looking = true
      void this.#look(others, found).finally(() => {
        looking = false
      })
    }
    look()
    const timer = setInterval(look, LOOK)
    timer.unref()
    const sweep = setTimeout(() => void this.#sweep(others).catch(() => undefined), TWICE)
    sweep.unref()
    return () => {
      clearInterval(timer)
      clearTimeout(sweep)
    }
  }

  async #look(others: () => Iterable<unknown>, found: () => void): Promise<void> {
    const named = new Set(this.#sockets(others))
    for (const socket of this.#over) {
      if (named.has(socket)) continue
      // Its sessions are gone, so nobody needs the proof any more.
      this.#over.delete(socket)
      await rm(socket, { force: true }).catch(() => undefined)
    }
    const suspects = [...named].filter((socket) => !this.#over.has(socket))
    const proven = await Promise.all(suspects.map((socket) => this.#isProvenOver(socket)))
    for (const [at, socket] of suspects.entries()) if (proven[at] === true) this.#over.add(socket)
    if (proven.includes(true)) found()
  }

  async #isProvenOver(socket: string): Promise<boolean> {
    if (!(await isRefused(socket))) {
      this.#refused.delete(socket)
      return false
    }
    const since = this.#refused.get(socket)
    if (since === undefined) this.#refused.set(socket, performance.now())
    if (since === undefined || performance.now() - since < TWICE) return false
    this.#refused.delete(socket)
    return true
  }

  /** Of the others' sockets those that mean something here. */
  *#sockets(others: () => Iterable<unknown>): Generator<string> {
    for (const process of others()) {
      if (isAddress(process) && process.host === this.#self?.host && process.socket !== this.#self.socket)
        yield process.socket
    }
  }

  /** Sockets that no session names any more. */
  async #sweep(others: () => Iterable<unknown>): Promise<void> {
    const named = new Set(this.#sockets(others))
    for (const name of await readdir(this.#folder)) {
      const socket = join(this.#folder, name)
      if (!name.endsWith(SUFFIX) || named.has(socket) || socket === this.#self?.socket) continue
      if (await isRefused(socket)) await rm(socket, { force: true })
    }
  }
}

function isAddress(value: unknown): value is Address {
  return (
    typeof value === 'object' &&
    value !== null &&
    'host' in value &&
    'socket' in value &&
    typeof value.host === 'string' &&
    typeof value.socket === 'string'
  )
}

async function bootId(): Promise<string | null> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  } catch {
    return null
  }
}

/** `null`: the system gives no socket there. */
function listening(path: string): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((connection) => connection.destroy())
    server.on('error', () => resolve(null))
    server.listen(path, () => resolve(server))
    // That others may ask keeps no process alive.
    server.unref()
  })
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path)
    connection.on('connect', () => {
      connection.destroy()
      resolve(false)
    })
    connection.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
