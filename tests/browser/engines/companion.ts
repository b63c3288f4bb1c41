import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'

/** A program that tests need beside them. */
export interface Companion {
  readonly process: ChildProcess
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<unknown>
  readonly hasEnded: boolean
}

/**
 * Starts a program that the kernel kills when this process is gone, however it went: a test run that is broken off, or
 * killed itself, leaves no browser behind.
 */
export function startCompanion(program: string, args: readonly string[], options: SpawnOptions): Companion {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], options)
  return {
    process: child,
    ended: once(child, 'exit'),
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null
    },
  }
}
