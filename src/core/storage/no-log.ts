import type { Append, Log, Receipt, Tail } from './log.ts'

const NOTHING: Tail = { records: [] }
const DONE: Receipt = { between: [] }

/** The log that keeps nothing: what was decided is in the table, and nobody else reads it. Memory is the table alone. */
export class NoLog implements Log {
  readonly exclusive = true

  open(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  exchange(turn: (tail: Tail) => Append | null): Promise<Receipt> {
    turn(NOTHING)
    return Promise.resolve(DONE)
  }

  watch(): () => void {
    return () => undefined
  }
}
