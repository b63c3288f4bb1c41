import type {
  Amendment,
  AmendRequest,
  BeatRequest,
  ClaimRequest,
  DefineRequest,
  EnqueueRequest,
  PauseScope,
  PruneRequest,
  SessionRequest,
  Settlement,
  SettleRequest,
  Tick,
  TickRequest,
} from '../contract.ts'
import { unreachable } from '../transitions.ts'
import { amend } from './amend.ts'
import { claim } from './claim.ts'
import { Draft } from './draft.ts'
import { enqueue } from './enqueue.ts'
import type { JobTable, Undo } from './job-table.ts'
import { prune } from './prune.ts'
import type { Unit } from './rows.ts'
import { define, pause, tick } from './schedule.ts'
import { beat, session } from './session.ts'
import { settle } from './settle.ts'

/** One mutating call of the contract, as data. */
export type Operation =
  | { readonly name: 'session'; readonly request: SessionRequest }
  | { readonly name: 'enqueue'; readonly request: EnqueueRequest }
  | { readonly name: 'claim'; readonly request: ClaimRequest }
  | { readonly name: 'beat'; readonly request: BeatRequest }
  | { readonly name: 'settle'; readonly request: SettleRequest }
  | { readonly name: 'amend'; readonly request: AmendRequest }
  | { readonly name: 'tick'; readonly request: TickRequest }
  | { readonly name: 'define'; readonly request: DefineRequest }
  | { readonly name: 'pause'; readonly request: { readonly scope: PauseScope; readonly paused: boolean } }
  | { readonly name: 'prune'; readonly request: PruneRequest }

/** One independent part of an operation: what it wrote (applied to the table already) and what it answers. */
export interface Part {
  readonly unit: Unit | null
  /** Makes the answer, to be called when the unit has just been applied: jobs are shown as they are then. */
  readonly show: () => unknown
  answer: unknown
}

/** Operations whose batch items are independent by contract; the others are one part. */
type Batched = Extract<Operation, { readonly name: 'settle' | 'amend' | 'tick' }>

function isBatched(operation: Operation): operation is Batched {
  return operation.name === 'settle' || operation.name === 'amend' || operation.name === 'tick'
}

/** The parts that an operation has, by their numbers. */
export function partsOf(operation: Operation): readonly number[] {
  return isBatched(operation) ? operation.request.batch.map((_, index) => index) : [0]
}

/** What a call answers, from the answers of all its parts. */
export function answerOf(operation: Operation, answers: readonly unknown[]): unknown {
  return isBatched(operation) ? answers : answers[0]
}

/**
 * Decides an operation from the present rows and applies it, part by part: an item of a batch sees what the item
 * before it did, and one that later loses a race does not take the others with it. `only` names the parts to decide;
 * each goes to `into` as soon as it is applied, so that none is in the table and not in the log.
 */
export function decide(
  table: JobTable,
  operation: Operation,
  only: readonly number[],
  into: Part[],
  undo?: Undo,
): void {
  if ('now' in operation.request) table.ready.advance(operation.request.now)
  if (!isBatched(operation)) into.push(decidePart(table, (draft) => answerWhole(draft, operation), undo))
  else for (const index of only) into.push(decidePart(table, (draft) => answerItem(draft, operation, index), undo))
}

function decidePart(table: JobTable, answerIn: (draft: Draft) => () => unknown, undo: Undo | undefined): Part {
  const draft = new Draft(table)
  const show = answerIn(draft)
  const writes = draft.unit.some((change) => change.to !== undefined)
  if (writes) table.write(draft.unit, undo)
  return { unit: writes ? draft.unit : null, show, answer: show() }
}

function answerWhole(draft: Draft, operation: Exclude<Operation, Batched>): () => unknown {
  switch (operation.name) {
    case 'session':
      return known(session(draft, operation.request))
    case 'enqueue':
      return enqueue(draft, operation.request)
    case 'claim':
      draft.table.ready.gates.learn(operation.request.lanes)
      draft.table.ready.gates.look(operation.request, (session) => draft.table.row('sessions', session) !== undefined)
      return claim(draft, operation.request)
    case 'beat':
      return beat(draft, operation.request)
    case 'define':
      return known(define(draft, operation.request))
    case 'pause':
      return known(pause(draft, operation.request))
    case 'prune':
      return known(prune(draft, operation.request))
    default:
      return unreachable(operation)
  }
}

function answerItem(draft: Draft, operation: Batched, index: number): () => unknown {
  const { now } = operation.request
  switch (operation.name) {
    case 'settle':
      return settle(draft, operation.request.batch[index] as Settlement, now)
    case 'amend':
      return amend(draft, operation.request.batch[index] as Amendment, now)
    case 'tick':
      return known(tick(draft, operation.request.batch[index] as Tick))
    default:
      return unreachable(operation)
  }
}

function known(answer: unknown): () => unknown {
  return () => answer
}
