import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Processes beside this one. They end when this one says so, and when it dies. */
export class Workers {
  /** @type {Set<import('node:child_process').ChildProcess>} */
  #children = new Set()
  #stopping = false

  /** @param {number} count */
  constructor(count) {
    for (let at = 0; at < count; at++) this.#start()
  }

  async stop() {
    this.#stopping = true
    const ended = [...this.#children].map((child) => once(child, 'exit'))
    for (const child of this.#children) if (child.connected) child.disconnect()
    await Promise.all(ended)
  }

  /** For when there is nothing left to work on. */
  kill() {
    this.#stopping = true
    for (const child of this.#children) child.kill('SIGKILL')
  }

  #start() {
    const child = fork(fileURLToPath(new URL('worker.mjs', import.meta.url)))
    this.#children.add(child)
    child.once('exit', (code, signal) => {
      this.#children.delete(child)
      if (this.#stopping || code === 0) return
      console.log(`A worker process ended (${signal ?? code}). Its jobs run in the others.`)
    })
  }
}
