import { readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { hostname } from 'node:os'
import type { Presence } from '../../core/storage/log.ts'
import { isRefused, type Listener, listen, socketsOf } from './sockets.ts'

/** Between looks at who is there, ms: short at first, since the table is read just then. */
const FIRST_LOOK = 10
const LOOK = 500
/** A process is over when it was refused twice, this far apart, ms. */
const TWICE = 1000

/** What a process leaves with its sessions: where it listens, and on which boot of which machine that means something. */
interface Address {
  readonly host: string
  readonly socket: string
}

/**
 * Each process listens on a socket of its own. While it lives, also while it is paused, the system takes connections
 * for it; when it is gone, they are refused. So a refusal, seen twice on the machine and boot where the process ran,
 * proves that it is over, and its jobs need not wait for their lease. Anything else proves nothing.
 *
 * A connection to each of the others is kept: its end is no proof, but the moment to ask.
 * [tests/adapters/node-fs/presence.test.ts]
 */
export class SocketPresence implements Presence {
  readonly #name: string
  #opened = 0
  #folder = ''
  #self: Address | undefined
  #server: Listener | null = null
  /** By socket, from the moment it is asked. */
  readonly #connections = new Map<string, Socket>()
  /** When each was first refused. */
  readonly #refused = new Map<string, number>()
  readonly #over = new Set<string>()
  /** Called when one is over; `null`: nobody looks. */
  #found: (() => void) | null = null

  /** @param name unique among all processes that ever open the folder */
  constructor(name: string) {
    this.#name = name
  }

  get self(): unknown {
    return this.#self
  }

  /**
   * Begins to listen, under a name of its own each time: what was proven of the last is not true of this one. Where that
   * cannot be, this process is never proven to be over, and nothing else is lost.
   */
  async open(folder: string): Promise<void> {
    this.#folder = folder
    this.#opened += 1
    const boot = await bootId()
    if (boot === null) return
    this.#server = await listen(folder, `${this.#name}-${this.#opened}`)
    if (this.#server !== null) this.#self = { host: `${hostname()} ${boot}`, socket: this.#server.path }
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.#self = undefined
    await server?.close()
  }

  isOver(process: unknown): boolean {
    return isAddress(process) && this.#over.has(process.socket)
  }

  watch(others: () => Iterable<unknown>, found: () => void): () => void {
    this.#found = found
    let delay = FIRST_LOOK
    let timer: NodeJS.Timeout | undefined
    const look = (): void => {
      this.#look(new Set(this.#sockets(others)))
      timer = setTimeout(look, delay).unref()
      delay = Math.min(LOOK, 2 * delay)
    }
    look()
    let stopped = false
    void this.#sweep(others, () => stopped).catch(() => undefined)
    return () => {
      this.#found = null
      clearTimeout(timer)
      stopped = true
      for (const connection of this.#connections.values()) connection.destroy()
    }
  }

  #look(named: ReadonlySet<string>): void {
    for (const socket of this.#over) {
      if (named.has(socket)) continue
      // Its sessions are gone, so nobody needs the proof any more.
      this.#over.delete(socket)
      void rm(socket, { force: true }).catch(() => undefined)
    }
    for (const [socket, connection] of this.#connections) if (!named.has(socket)) connection.destroy()
    for (const socket of named) if (!this.#over.has(socket)) this.#ask(socket)
  }

  #ask(socket: string): void {
    if (this.#found === null || this.#connections.has(socket)) return
    let since = Infinity
    const connection = connect(socket)
    this.#connections.set(socket, connection.unref().resume())
    connection.on('connect', () => {
      since = performance.now()
      this.#refused.delete(socket)
    })
    let error: string | undefined
    connection.on('error', ({ code }: NodeJS.ErrnoException) => {
      error = code
    })
    connection.on('close', () => {
      this.#connections.delete(socket)
      if (error === 'ECONNREFUSED') this.#refusedBy(socket)
      // It was gone before it had taken the connection, which the system had. Whoever takes one and hangs up at once is
      // there, and is not asked again before the next look.
      else if (error === 'ECONNRESET' || performance.now() - since > LOOK) this.#ask(socket)
    })
  }

  #refusedBy(socket: string): void {
    const now = performance.now()
    const since = this.#refused.get(socket) ?? now
    this.#refused.set(socket, since)
    if (since === now) setTimeout(() => this.#ask(socket), TWICE + 1).unref()
    if (now - since < TWICE) return
    this.#refused.delete(socket)
    this.#over.add(socket)
    this.#found?.()
  }

  /** Of the others' sockets those that mean something here. */
  *#sockets(others: () => Iterable<unknown>): Generator<string> {
    for (const process of others()) {
      if (isAddress(process) && process.host === this.#self?.host && process.socket !== this.#self.socket)
        yield process.socket
    }
  }

  /**
   * Removes what processes have left that are gone and that no session names. Refused once is not enough here either: a
   * name is there before its process listens.
   */
  async #sweep(others: () => Iterable<unknown>, isStopped: () => boolean): Promise<void> {
    let left = await socketsOf(this.#folder)
    for (let look = 0; look < 2; look++) {
      await new Promise<void>((resolve) => setTimeout(resolve, TWICE).unref())
      if (isStopped()) return
      const named = new Set([...others(), this.#self].map((process) => (isAddress(process) ? process.socket : '')))
      const refused = await Promise.all(left.map(async (socket) => !named.has(socket) && (await isRefused(socket))))
      left = left.filter((_, at) => refused[at])
    }
    await Promise.allSettled(left.map((socket) => rm(socket, { force: true })))
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
