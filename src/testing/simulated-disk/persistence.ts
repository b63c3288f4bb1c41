import type { NameChange } from './folder.ts'
import type { Piece, StoredFile, Write } from './stored-file.ts'

/**
 * What of the unsynced a power cut leaves.
 * - `lost`: nothing.
 * - `prefix`: what happened up to some moment, names and data alike, and nothing later.
 * - `torn`: names all the way; data up to some moment, the write at that moment cut somewhere; at times the file keeps
 *   its size and the rest reads as zeros.
 * - `reordered`: any selection of names and of pieces of data, so that a later record may stand behind a hole of zeros,
 *   and a name may lead to a file without its content.
 * - `kept`: everything, as when the system is shut down in order.
 *
 * What a failed sync dropped is lost in all of them but `kept`.
 */
export type Persistence = 'lost' | 'prefix' | 'torn' | 'reordered' | 'kept'

/** Decides for one power cut what is left of each file and which changes of names are. */
export interface PowerCut {
  file(file: StoredFile): StoredFile
  names(changes: readonly NameChange[]): readonly NameChange[]
}

/** A disk writes sectors whole, in an order of its own. Bytes. */
const SECTOR = 512

/** When what is not synced happened. */
export interface AtRisk {
  readonly writes: readonly number[]
  readonly names: readonly number[]
}

/** `random` answers numbers from 0 up to 1. */
export function powerCut(persistence: Persistence, { writes, names }: AtRisk, random: () => number): PowerCut {
  // Everything, or what came before one of the things at risk.
  const moments = [...(persistence === 'torn' ? writes : [...writes, ...names]), Number.POSITIVE_INFINITY]
  const cut = moments[Math.floor(random() * moments.length)] ?? Number.POSITIVE_INFINITY
  switch (persistence) {
    case 'lost':
      return { file: (file) => file.survivor([], false), names: () => [] }
    case 'prefix':
      return {
        file: (file) => file.survivor(sound(file).filter(earlierThan(cut)), false),
        names: (changes) => changes.filter(earlierThan(cut)),
      }
    case 'torn':
      return { file: (file) => torn(file, cut, random), names: (changes) => changes }
    case 'reordered':
      return {
        file: (file) => file.survivor(sectors(sound(file)).filter(sometimes(random)), random() < 0.5),
        names: (changes) => changes.filter(sometimes(random)),
      }
    case 'kept':
      return { file: (file) => file.survivor(file.writes, true), names: (changes) => changes }
  }
}

function torn(file: StoredFile, cut: number, random: () => number): StoredFile {
  const kept: Piece[] = []
  for (const { start, end, moment } of sound(file)) {
    if (moment < cut) kept.push({ start, end })
    else if (moment === cut) kept.push({ start, end: start + Math.floor(random() * (end - start)) })
  }
  return file.survivor(kept, random() < 0.5)
}

function sound(file: StoredFile): readonly Write[] {
  return file.writes.filter(({ dropped }) => !dropped)
}

/** Cuts pieces where a sector of the disk ends. */
function sectors(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.flatMap(({ start, end }) => {
    const parts: Piece[] = []
    for (let from = start; from < end; ) {
      const to = Math.min(end, (Math.floor(from / SECTOR) + 1) * SECTOR)
      parts.push({ start: from, end: to })
      from = to
    }
    return parts
  })
}

function earlierThan(cut: number): (happened: { readonly moment: number }) => boolean {
  return ({ moment }) => moment < cut
}

function sometimes(random: () => number): () => boolean {
  return () => random() < 0.5
}
