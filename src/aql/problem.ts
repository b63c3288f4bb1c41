import type { Token } from 'graphql'
import { suggestionList } from 'graphql/jsutils/suggestionList.mjs'

/** Something that has a place in a text. */
export interface Placed {
  readonly loc?: { readonly startToken: Pick<Token, 'line' | 'column'> } | undefined
}

/** A place in a text, or the path to one from where its field stands, as errors of the queue have it. */
export type Where = Placed | string | undefined

/** What is wrong with a text, and where. */
export class Problem extends Error {
  readonly at: Where

  /** `value`: what was found instead. */
  constructor(message: string, at: Where, value?: unknown) {
    const found = value === Object(value) ? 'an object' : String(value).slice(0, 80)
    super(value === undefined ? message : `${message}, got \`${found}\` (${typeof value})`)
    this.at = at
  }
}

/** `Unknown argument `paylod` …: did you mean `payload`? Expected one of …` */
export function unknown(what: string, name: string, known: readonly string[], at: Where): Problem {
  const [nearest] = suggestionList(name, known)
  const guess = nearest === undefined ? '' : `, did you mean \`${nearest}\`?`
  return new Problem(`Unknown ${what} \`${name}\`${guess} (expected one of: ${known.join(', ')})`, at)
}

/** What stands under names or numbers in a text, whatever it is. */
interface Part extends Placed {
  readonly name?: Placed & { readonly value: string }
  readonly value?: unknown
  readonly arguments?: readonly Part[]
  readonly fields?: readonly Part[]
  readonly values?: readonly Part[]
}

/** The place that a path leads to, as far as the text has its names; `own`: what the queue calls a name. */
export function placeOf(from: Placed, path: string, own: (name: string) => string): Placed {
  let place = from
  let at: Part = from
  for (const name of path.split(/[.[\]]+/)) {
    const parts = at.arguments ?? at.fields
    const next =
      at.values?.[name as unknown as number] ??
      parts?.find((part) => part.name !== undefined && own(part.name.value) === own(name))
    if (next === undefined) continue
    place = next.name ?? next
    at = (next.name === undefined ? next : next.value) as Part
  }
  return place
}
