import type { Token } from 'graphql'
import { suggestionList } from 'graphql/jsutils/suggestionList.mjs'

/** Something that has a place in a text. */
export interface Placed {
  readonly loc?: { readonly startToken: Pick<Token, 'line' | 'column'> } | undefined
}

/** What is wrong with a text, and where. Lines and columns count from 1. */
export class Problem extends Error {
  readonly line: number
  readonly column: number

  constructor(message: string, at: Placed | undefined) {
    super(message)
    this.line = at?.loc?.startToken.line ?? 1
    this.column = at?.loc?.startToken.column ?? 1
  }
}

/** `Unknown argument `paylod` …: did you mean `payload`? Expected one of …` */
export function unknown(what: string, name: string, known: readonly string[], at: Placed | undefined): Problem {
  const [nearest] = suggestionList(name, known)
  const guess = nearest === undefined ? '' : `, did you mean \`${nearest}\`?`
  return new Problem(`Unknown ${what} \`${name}\`${guess} (expected one of: ${known.join(', ')})`, at)
}
