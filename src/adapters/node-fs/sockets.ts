import { createHash } from 'node:crypto'
import { lstat, readdir } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Bytes a socket's path may have on every system; a longer one is cut without a word, and two would be one. */
const LONGEST_PATH = 103

/** What `listen` calls a socket: the writer's name, 12 characters of base64url, and how often it opened. */
const OURS = /^[\w-]{12}-\d+\.sock$/

interface Place {
  readonly parent: string
  /** Of the names there. */
  readonly prefix: string
}

/**
 * The folder itself; and the one for temporary files, where the path is too long or the file system has no sockets. That
 * one is everybody's, so the name says whose it is: to others who look for its process the socket is the proof.
 */
function placesOf(folder: string): readonly Place[] {
  const whose = createHash('sha256').update(`${hostname()} ${folder}`).digest('base64url').slice(0, 12)
  return [
    { parent: folder, prefix: '' },
    { parent: tmpdir(), prefix: `holdfast-${whose}-` },
  ]
}

/** `null`: the system gives no socket in any place. */
export async function listen(folder: string, name: string): Promise<Listener | null> {
  for (const { parent, prefix } of placesOf(folder)) {
    const path = join(parent, `${prefix}${name}.sock`)
    const listener = Buffer.byteLength(path) <= LONGEST_PATH ? await Listener.on(path) : null
    if (listener !== null) return listener
  }
  return null
}

/** Paths that may be sockets of the folder's processes, by their names. */
export async function socketsOf(folder: string): Promise<readonly string[]> {
  const found = placesOf(folder).map(async ({ parent, prefix }) => {
    const names = await readdir(parent).catch(() => [])
    const ours = names.filter((name) => name.startsWith(prefix) && OURS.test(name.slice(prefix.length)))
    return ours.map((name) => join(parent, name))
  })
  return (await Promise.all(found)).flat()
}

/** Whether it is a socket that nobody listens on. One that may not be used, somebody else's, says nothing. */
export async function isRefused(path: string): Promise<boolean> {
  // A file that only looks like a socket refuses a connection too.
  const isSocket = await lstat(path).then(
    (found) => found.isSocket(),
    () => false,
  )
  if (!isSocket) return false
  return new Promise((resolve) => {
    const connection = connect(path)
    connection.on('connect', () => {
      connection.destroy()
      resolve(false)
    })
    connection.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

/** Takes connections and keeps them, so that their other ends learn when this process is gone. */
export class Listener {
  readonly path: string
  readonly #server: Server
  readonly #connections = new Set<Socket>()

  private constructor(path: string) {
    this.path = path
    this.#server = createServer((connection) => {
      this.#connections.add(connection.unref().resume())
      // A broken one is closed, and that is all there is to it.
      connection.on('error', () => undefined)
      connection.on('close', () => this.#connections.delete(connection))
    })
    // That others may ask keeps no process alive.
    this.#server.unref()
  }

  /**
   * `null`: the system gives no socket there. In a worker of node:cluster the primary would listen in its place, and take
   * the socket away when the worker is gone: nothing would be there to refuse. So it is the worker's own.
   */
  static on(path: string): Promise<Listener | null> {
    return new Promise((resolve) => {
      const listener = new Listener(path)
      listener.#server.on('error', () => resolve(null))
      listener.#server.listen({ path, exclusive: true }, () => resolve(listener))
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      for (const connection of this.#connections) connection.destroy()
    })
  }
}
