import { LOG_FORMAT } from '../../core/storage/log.ts'
import type { JournalRecord, Line } from './lines.ts'

/**
 * Puts the records of one segment together from its lines. What follows the first seal is void, and so is a second copy
 * of a record: its units would be void too, but for one that makes a row which has been removed since.
 */
export class RecordReader {
  readonly #parts = new Map<string, string[]>()
  readonly #read = new Set<string>()
  /** Who sealed the segment; `null`: it is open. */
  sealedBy: string | null = null

  /**
   * The record that the line completes. `'damaged'`: the line is (`null`), or it should have completed one and pieces are
   * missing. What a late writer tore behind the seal is neither: it would be void if it were whole.
   */
  read(line: Line | null): JournalRecord | 'damaged' | null {
    if (this.sealedBy !== null) return null
    if (line === null) return 'damaged'
    // Before its parts are put together: those of two writers who write the same record again may mingle.
    if ('id' in line && this.#read.has(line.id)) return null
    const record = this.#recordIn(line)
    if (record !== null && record !== 'damaged') this.#read.add(record.id)
    return record
  }

  /** A record that was seen to stand in the segment, without its line being read: a later copy is a copy. */
  note(id: string): void {
    this.#read.add(id)
  }

  #recordIn(line: Line): JournalRecord | 'damaged' | null {
    switch (line.kind) {
      case 'record':
        return line
      case 'part':
        return this.#readPart(line)
      case 'commit':
        return this.#readCommit(line)
      case 'seal':
        this.sealedBy = line.by
        return null
      case 'begin':
      case 'rows':
      case 'end':
      case 'tombstone':
        return null
      default:
        return newerThanKnown(line)
    }
  }

  #readPart({ id, index, text }: Extract<Line, { kind: 'part' }>): null {
    const parts = this.#parts.get(id)
    // A writer whose append was cut short begins again from the first part.
    if (index === 0) this.#parts.set(id, [text])
    else if (parts?.length === index) parts.push(text)
    return null
  }

  #readCommit({ id, parts: expected }: Extract<Line, { kind: 'commit' }>): JournalRecord | 'damaged' {
    const parts = this.#parts.get(id)
    this.#parts.delete(id)
    if (parts?.length !== expected) return 'damaged'
    try {
      return JSON.parse(parts.join('')) as JournalRecord
    } catch {
      return 'damaged'
    }
  }
}

/** A kind of line that a later version added: whoever does not know it only reads from there on. */
function newerThanKnown(_line: never): JournalRecord {
  return { id: '', format: LOG_FORMAT + 1, units: [] }
}
