import type { Findings } from './ledger.ts'

/** Whether the proofs are to be as long as the issue of their guarantee asks for: `npm run test:long`. */
export const LONG: boolean = process.env['HOLDFAST_LONG'] === '1'

/** Repeats the choices of an earlier run, though not its timing: `HOLDFAST_SEED=… npm run test:browser -- torment`. */
export function randomSeed(): number {
  return Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
}

export const NOTHING_BROKEN: Findings = {
  lost: [],
  notCompleted: [],
  neverRan: [],
  acceptedTwice: [],
  startedAfterwards: [],
  fenceReused: [],
  unasked: [],
  unhandled: [],
}
