import { nodeFs, type NodeFsOptions } from '../../../src/adapters/node-fs/index.ts'
import { HoldfastError } from '../../../src/core/errors.ts'
import {
  type DiskCall,
  type DiskCallName,
  type DiskFault,
  type Persistence,
  SimulatedDisk,
  type SimulatedProcess,
} from '../../../src/testing/index.ts'
import { Client } from './client.ts'
import { Ledger } from './ledger.ts'

export const DIRECTORY = '/jobs'

export type Durability = NonNullable<NodeFsOptions['durability']>

/** A disk, who works on it, and what they know. */
export class Stage {
  readonly disk: SimulatedDisk
  readonly ledger: Ledger
  readonly clients: Client[] = []
  readonly #rollAt: number
  readonly #durability: Durability

  constructor(
    rollAt: number,
    disk: SimulatedDisk = new SimulatedDisk(),
    ledger: Ledger = new Ledger(),
    durability: Durability = 'disk',
  ) {
    this.#rollAt = rollAt
    this.disk = disk
    this.ledger = ledger
    this.#durability = durability
  }

  /** Another process opens the directory. `null`: it could not, and said why. */
  async open(process: SimulatedProcess = this.disk.process()): Promise<Client | null> {
    const [rollAt, durability] = [this.#rollAt, this.#durability]
    const storage = nodeFs({ directory: DIRECTORY, fileSystem: process, rollAt, durability })
    try {
      await storage.open()
      const client = new Client(process, storage, this.ledger)
      this.clients.push(client)
      return client
    } catch (error) {
      // The program tidies up, gone or not.
      if (!process.gone && !HoldfastError.is(error))
        this.ledger.problems.push(`open: an error of no type: ${String(error)}`)
      return null
    }
  }

  /** For workloads: the client that is there from the start, or the second. */
  client(at: number): Client {
    const client = this.clients[at]
    if (client === undefined) throw new Error(`The workload asks for ${at + 1} processes`)
    return client
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map(({ storage }) => storage.close().catch(() => undefined)))
  }

  /** The number of the latest segment. */
  get segment(): number {
    return Number.parseInt(this.#latest(), 10)
  }

  get segmentPath(): string {
    return `${DIRECTORY}/${this.#latest()}`
  }

  #latest(): string {
    const names = this.disk.list(DIRECTORY).filter((name) => name.endsWith('.journal'))
    return names.sort().at(-1) ?? '0'
  }

  /** The state of the disk, cache and all, and what is known: there all processes have crashed. */
  copy(): Stage {
    return new Stage(this.#rollAt, this.disk.copy(), this.ledger.copy(), this.#durability)
  }

  after(persistence: Persistence, seed: number): Stage {
    const disk = this.disk.afterPowerCut({ persistence, seed })
    return new Stage(this.#rollAt, disk, this.ledger.copy(), this.#durability)
  }
}

/** A fault at one call. */
export interface Trap {
  readonly spring: (call: DiskCall) => DiskFault | null
  /** What happened at which call; `null`: it did not come to that. */
  sprung: string | null
  /**
   * What the disk had been through when everything or a process ended there: two traps at the same place leave the same
   * disk. `null`: nothing has ended.
   */
  place: string | null
}

const WITHOUT_EFFECT: ReadonlySet<DiskCallName> = new Set(['stat', 'read', 'list', 'kindOf', 'watch', 'close'])

/** Springs at the n-th call for which `faultAt` has a fault. */
export function trap(n: number, faultAt: (call: DiskCall) => DiskFault | null): Trap {
  let seen = 0
  let effects = ''
  const processes: SimulatedProcess[] = []
  const trap: Trap = {
    sprung: null,
    place: null,
    spring: (call) => {
      if (trap.sprung !== null) return null
      if (!processes.includes(call.process)) processes.push(call.process)
      const by = processes.indexOf(call.process)
      const fault = faultAt(call)
      const springs = fault !== null && ++seen === n
      if (springs) trap.sprung = `${fault} at call ${n} (${call.name} ${call.path})`
      // A cut comes after the call has done what it does, a crash before.
      if (!WITHOUT_EFFECT.has(call.name) && !(springs && fault === 'crash')) effects += ` ${by}${call.name}`
      if (springs && (fault === 'crash' || fault === 'power cut')) trap.place = `${effects} ends ${by}`
      return springs ? fault : null
    },
  }
  return trap
}
