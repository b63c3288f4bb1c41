import type { Append, Log, Receipt, Tail } from '../../core/storage/log.ts'

const NOTHING: Tail = { records: [] }
const DONE: Receipt = { between: [] }

/** The log that keeps nothing: what was decided is in the table, and nobody else reads it. */
export class NoLog implements Log {
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
