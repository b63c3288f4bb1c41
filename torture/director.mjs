import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isUnpublished, rollUnderWay, tearWrite } from './segments.mjs'

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url))
const ARCHIVE = new URL('archive.mjs', import.meta.url).href

/** How much longer it goes on at most, ms. */
const MORE = 60_000

/**
 * @typedef {object} Actor a process of this run
 * @property {string} name
 * @property {import('node:child_process').ChildProcess} process
 * @property {boolean} paused
 * @property {boolean} killed by the director
 * @property {Promise<void>} ended
 *
 * @typedef {object} Deeds what was done to the processes
 * @property {number} started
 * @property {number} kills
 * @property {number} massKills times that all processes were killed at once (each counts as a kill too)
 * @property {number} pauses
 * @property {number} tears
 * @property {number} killsInRolls kills while a roll was under way
 * @property {number} pausesInRolls
 * @property {number} drained how long it took to end what was left, ms
 */

/** Starts processes, and kills, pauses and disturbs them at random moments. */
export class Director {
  /** @type {Deeds} */
  deeds = { started: 0, kills: 0, massKills: 0, pauses: 0, tears: 0, killsInRolls: 0, pausesInRolls: 0, drained: 0 }
  /** What went wrong with the processes themselves. @type {string[]} */
  problems = []
  /** @type {Actor[]} */
  #actors = []
  #options
  #random
  #until = 0
  /** @type {() => boolean} */
  #isShown = () => true

  /**
   * @param {{ directory: string, archive: string, acks: string, processes: number, rollAt: number }} options
   * @param {import('./seeded-random.mjs').SeededRandom} random
   */
  constructor(options, random) {
    this.#options = options
    this.#random = random
  }

  /**
   * On a machine that is so slow that something has not happened by then it goes on for a while.
   *
   * @param {number} seconds @param {() => boolean} isShown whether all has happened that has to
   */
  async torment(seconds, isShown) {
    this.#until = performance.now() + 1000 * seconds
    this.#isShown = isShown
    for (let at = 0; at < this.#options.processes; at++) this.#start()
    await Promise.all([
      this.#often(80, 320, () => this.#kill()),
      this.#often(300, 900, () => this.#pause()),
      this.#often(150, 700, () => this.#tear()),
    ])
    await this.endAll()
  }

  async endAll() {
    const all = [...this.#actors]
    for (const actor of all) this.#end(actor)
    await Promise.all(all.map(({ ended }) => ended))
  }

  /** Lets one more process do what is left. @param {number} timeout ms */
  async drain(timeout) {
    const begin = performance.now()
    const actor = this.#start(true)
    const late = await Promise.race([actor.ended, sleep(timeout, 'late', { ref: false })])
    if (late !== undefined) {
      this.problems.push(`after the torture the jobs that were left did not end within ${timeout / 1000} s`)
      this.#end(actor)
      await actor.ended
    }
    this.deeds.drained = performance.now() - begin
  }

  /** @param {boolean} drain @returns {Actor} */
  #start(drain = false) {
    const { directory, archive, acks, rollAt, processes } = this.#options
    this.deeds.started += 1
    const name = `p${this.deeds.started}`
    /** @type {import('./worker.mjs').Task} */
    const task = {
      name,
      directory,
      acks: join(acks, name),
      seed: this.#random.whole(0, 2 ** 32),
      rollAt,
      backlog: processes,
      drain,
    }
    const args = ['--import', ARCHIVE, WORKER, JSON.stringify(task)]
    const env = { ...process.env, ARCHIVE: archive }
    const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'inherit', 'pipe'] })
    // Who kills and pauses comes first: on a busy machine it would find no time for it.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
    let complaint = ''
    child.stderr.on('data', (chunk) => {
      complaint = `${complaint}${chunk}`.slice(0, 2000)
    })
    /** @type {Actor} */
    const actor = { name, process: child, paused: false, killed: false, ended: Promise.resolve() }
    actor.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#actors = this.#actors.filter((other) => other !== actor)
        const expected = actor.killed || (drain && code === 0)
        if (!expected || complaint !== '')
          this.problems.push(`process ${name} ended by itself (${signal ?? code}): ${complaint.trim()}`)
        resolve()
      })
    })
    this.#actors.push(actor)
    return actor
  }

  /** @param {number} least ms @param {number} limit ms @param {() => Promise<void> | void} deed */
  async #often(least, limit, deed) {
    for (;;) {
      await sleep(this.#random.between(least, limit))
      if (this.#isOver()) return
      await deed()
    }
  }

  #isOver() {
    const late = performance.now() - this.#until
    return late > MORE || (late > 0 && this.#isShown())
  }

  async #kill() {
    // The step that goes wrong most easily is the rarest: so half of the kills wait for a roll.
    if (this.#random.chance(0.5)) await this.#rollBegins()
    if (this.#random.chance(0.5)) await sleep(this.#random.between(0, 4))
    const all = this.#random.chance(0.03)
    const victims = all ? [...this.#actors] : [this.#random.pick(this.#actors)].filter((actor) => actor !== undefined)
    const coincidence = rollUnderWay(this.#options.directory)
    for (const actor of victims) {
      this.#end(actor)
      this.deeds.kills += 1
      if (coincidence) this.deeds.killsInRolls += 1
    }
    if (all) this.deeds.massKills += 1
    await sleep(this.#random.between(0, 50))
    for (let count = 0; count < victims.length; count++) this.#start()
  }

  /** @param {Actor} actor */
  #end(actor) {
    actor.killed = true
    actor.process.kill('SIGKILL')
  }

  async #pause() {
    const awake = this.#actors.filter(({ paused }) => !paused)
    if (awake.length <= this.#options.processes / 2) return
    const actor = this.#random.pick(awake)
    if (actor === undefined) return
    if (this.#random.chance(0.3)) await this.#rollBegins()
    if (rollUnderWay(this.#options.directory)) this.deeds.pausesInRolls += 1
    actor.process.kill('SIGSTOP')
    actor.paused = true
    this.deeds.pauses += 1
    // Most of them longer than the lease, so that the jobs are somebody else's when the process wakes.
    setTimeout(
      () => {
        actor.process.kill('SIGCONT')
        actor.paused = false
      },
      this.#random.between(600, 2500),
    )
  }

  #tear() {
    const cut = (/** @type {number} */ size) => this.#random.whole(1, size)
    if (tearWrite(this.#options.directory, cut)) this.deeds.tears += 1
  }

  /** Resolves when a snapshot begins to be written, or after a while. */
  async #rollBegins() {
    const begins = new Promise((resolve) => {
      const watcher = watch(this.#options.directory, (_, name) => {
        if (name !== null && isUnpublished(name)) done()
      })
      const timer = setTimeout(() => done(), 300)
      const done = () => {
        watcher.close()
        clearTimeout(timer)
        resolve(undefined)
      }
    })
    await begins
  }
}
