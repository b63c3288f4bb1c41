import { HoldfastError, type ErrorCode } from '../../core/errors.ts'
import { isThenable } from '../../core/thenable.ts'

/** What a case throws. Test runners show `actual` and `expected` as a difference. */
export class ConformanceError extends Error {
  override readonly name: string = 'ConformanceError'
  readonly actual: unknown
  readonly expected: unknown

  constructor(message: string, actual: unknown, expected: unknown) {
    super(message)
    this.actual = actual
    this.expected = expected
  }
}

export function ok(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ConformanceError(`Expected ${what}`, false, true)
}

/** Deep equality by value: own enumerable properties, array items, dates, maps, bytes, what Blobs say of themselves. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (same(actual, expected)) return
  throw new ConformanceError(`Expected ${what} to be ${show(expected)}, got ${show(actual)}`, actual, expected)
}

/** Like `equal`, for the named properties only. */
export function matches<T extends object>(actual: T, expected: Partial<T>, what: string): void {
  for (const key of Object.keys(expected) as (keyof T & string)[]) equal(actual[key], expected[key], `${what}.${key}`)
}

export async function rejects(promise: Promise<unknown>, code: ErrorCode, what: string): Promise<void> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) {
    throw new ConformanceError(
      `Expected ${what} to reject with ${code}, got ${show(outcome.value)}`,
      outcome.value,
      code,
    )
  }
  if (HoldfastError.is(outcome.error, code)) return
  const thrown =
    outcome.error instanceof Error ? `${outcome.error.name}: ${outcome.error.message}` : show(outcome.error)
  throw new ConformanceError(`Expected ${what} to reject with ${code}, got ${thrown}`, outcome.error, code)
}

/** `await 123` passes by accident; and an operation that throws at once escapes `.catch()`. */
export function assertPromise<T>(call: () => Promise<T>, what: string): Promise<T> {
  let answer: unknown
  try {
    answer = call()
  } catch (error) {
    throw new ConformanceError(`Expected ${what} to return a promise, it threw ${String(error)}`, error, 'a promise')
  }
  if (isThenable(answer)) return answer as Promise<T>
  throw new ConformanceError(`Expected ${what} to return a promise, got ${show(answer)}`, answer, 'a promise')
}

function same(left: unknown, right: unknown): boolean {
  if (left === right || (Number.isNaN(left) && Number.isNaN(right))) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  // Tags instead of `instanceof`: values may come from another realm.
  const tag = Object.prototype.toString.call(left)
  if (tag !== Object.prototype.toString.call(right)) return false
  if (tag === '[object Date]') return Number(left) === Number(right)
  if (tag === '[object Map]') return same([...(left as Iterable<unknown>)], [...(right as Iterable<unknown>)])
  if (tag === '[object ArrayBuffer]' || tag === '[object DataView]') return same(bytesOf(left), bytesOf(right))
  if (tag === '[object Blob]' || tag === '[object File]') return same(factsOf(left), factsOf(right))
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && same(Reflect.get(left, key), Reflect.get(right, key)))
  )
}

function bytesOf(value: object): Uint8Array {
  const { buffer = value, byteOffset, byteLength } = value as Partial<DataView>
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
}

/** What can be told of a Blob without waiting. */
function factsOf(blob: object): readonly unknown[] {
  return ['size', 'type', 'name', 'lastModified'].map((fact): unknown => Reflect.get(blob, fact))
}

const SHOWN = 400

function show(value: unknown): string {
  const json = (value: unknown): string | undefined =>
    JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item))
  const text = json(value) ?? String(value)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
