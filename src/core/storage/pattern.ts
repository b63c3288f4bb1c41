/** The most pieces of a pattern. With the length of the text they bound what a search may cost. */
const MOST_PIECES = 100

/** One character of the text, and how often: a plain one, an escaped one, `.` or a class. */
const PIECE = /(\.|\\[dDwWsS]|\\[^\w\s]|\[\^?(?:\\.|[^\\\]])+\]|[^\\[\](){}|*+?^$.])([*+?]?)/suy

interface Piece {
  readonly fits: (character: string) => boolean
  readonly optional: boolean
  readonly repeats: boolean
}

/**
 * Finds a pattern in texts, in time that grows with the text and the pattern and never with their product of choices,
 * so that no pattern can hang a search: all places where it might stand are followed at once. A pattern is a row of
 * characters, `.`, classes as `[a-z]` and `\d \w \s`, each with `*`, `+` or `?` if wanted, and `^` and `$` at its ends.
 * `null` for any other: groups, alternatives, counted repeats and references have no place here.
 */
export function compilePattern(pattern: string): ((text: string) => boolean) | null {
  const fromStart = pattern.startsWith('^')
  const toEnd = /(?:^|[^\\])(?:\\\\)*\$$/s.test(pattern)
  const pieces = piecesOf(pattern.slice(Number(fromStart), toEnd ? -1 : undefined))
  return pieces === null ? null : (text) => isFound(pieces, text, fromStart, toEnd)
}

function piecesOf(text: string): readonly Piece[] | null {
  const pieces: Piece[] = []
  for (let at = 0; at < text.length; at = PIECE.lastIndex) {
    PIECE.lastIndex = at
    const [, character = '', often] = PIECE.exec(text) ?? []
    if (character === '' || pieces.length === MOST_PIECES) return null
    const fits = fitsOf(character)
    if (fits === null) return null
    pieces.push({ fits, optional: often === '*' || often === '?', repeats: often === '*' || often === '+' })
  }
  return pieces
}

function fitsOf(character: string): Piece['fits'] | null {
  if (character === '.') return () => true
  if (!/^[\\[]/.test(character)) return (one) => one === character
  try {
    const one = new RegExp(`^${character}$`, 'su')
    return (given) => one.test(given)
  } catch {
    // A class that is none, as [z-a].
    return null
  }
}

function isFound(pieces: readonly Piece[], text: string, fromStart: boolean, toEnd: boolean): boolean {
  let places = follow(pieces, new Set(), 0)
  for (const character of text) {
    if (!toEnd && places.has(pieces.length)) return true
    let next = new Set<number>()
    for (const place of places) {
      const piece = pieces[place]
      if (piece?.fits(character) !== true) continue
      if (piece.repeats) next = follow(pieces, next, place)
      next = follow(pieces, next, place + 1)
    }
    places = fromStart ? next : follow(pieces, next, 0)
  }
  return places.has(pieces.length)
}

/** Adds a place, and those that come after it when optional pieces are left out. */
function follow(pieces: readonly Piece[], places: Set<number>, from: number): Set<number> {
  for (let place = from; ; place++) {
    // What follows a place came with it.
    if (places.has(place)) return places
    places.add(place)
    if (pieces[place]?.optional !== true) return places
  }
}
