/** Digits of a segment's number in its name, so that names sort as numbers do. */
const DIGITS = 10

const SEGMENT = /^(\d{10})\.journal$/
const TEMPORARY = /^(\d{10})\.[\w-]{12}\.tmp$/

export function segmentName(number: number): string {
  return `${digits(number)}.journal`
}

/** What a writer prepares for the place of segment `number`. */
export function temporaryName(number: number, writer: string): string {
  return `${digits(number)}.${writer}.tmp`
}

export function damagedName(number: number, offset: number): string {
  return `${digits(number)}-${offset}.damaged`
}

/** Highest first. Files with other names are somebody else's and are left alone. */
export function segmentNumbers(names: readonly string[]): readonly number[] {
  return numbers(names, SEGMENT).sort((a, b) => b - a)
}

/** Files that are being prepared for the place of segment `number`, or were. */
export function temporaryNames(names: readonly string[], number: number): readonly string[] {
  return names.filter((name) => numberIn(name, TEMPORARY) === number)
}

/** Files prepared for a segment up to `number`: that place is taken, so whoever made them has lost or is gone. */
export function leftOverNames(names: readonly string[], number: number): readonly string[] {
  return names.filter((name) => (numberIn(name, TEMPORARY) ?? Infinity) <= number)
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, '0')
}

function numbers(names: readonly string[], pattern: RegExp): number[] {
  return names.flatMap((name) => numberIn(name, pattern) ?? [])
}

function numberIn(name: string, pattern: RegExp): number | null {
  const digitsInName = pattern.exec(name)?.[1]
  return digitsInName === undefined ? null : Number(digitsInName)
}
