import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { describe as described, HoldfastError, invalidOption, toErrorData } from '../../src/core/errors.ts'
import { FailPermanently, RetryLater } from '../../src/index.ts'

const boom = (): never => {
  throw new Error('boom')
}

describe('HoldfastError', () => {
  test('is told apart by its code', () => {
    const error = new HoldfastError('HOLDFAST_TIMEOUT', 'too long', { cause: 'slow', details: { field: 'timeout' } })
    expect([error.name, error.code, error.cause, error.details.field]).toEqual([
      'HoldfastError',
      'HOLDFAST_TIMEOUT',
      'slow',
      'timeout',
    ])
    expect(HoldfastError.is(error)).toBe(true)
    expect(HoldfastError.is(error, 'HOLDFAST_TIMEOUT')).toBe(true)
    expect(HoldfastError.is(error, 'HOLDFAST_CANCELLED')).toBe(false)
  })

  test('is recognised when it is of another copy of the package', async () => {
    const url = new URL('../../src/core/errors.ts?another-copy', import.meta.url).href
    const copy = (await import(url)) as { HoldfastError: typeof HoldfastError }
    expect(copy.HoldfastError).not.toBe(HoldfastError)
    const foreign: unknown = new copy.HoldfastError('HOLDFAST_TIMEOUT', 'too long')
    expect(foreign instanceof HoldfastError).toBe(false)
    expect(HoldfastError.is(foreign, 'HOLDFAST_TIMEOUT')).toBe(true)
    expect(copy.HoldfastError.is(new HoldfastError('HOLDFAST_TIMEOUT', 'too long'))).toBe(true)
  })

  test('nothing else is one', () => {
    const others = [null, undefined, 'HOLDFAST_TIMEOUT', new Error('x'), { code: 'HOLDFAST_TIMEOUT' }, revoked()]
    for (const other of others) expect([HoldfastError.is(other), RetryLater.is(other)]).toEqual([false, false])
  })

  test('FailPermanently is one, RetryLater is not', () => {
    expect(HoldfastError.is(new FailPermanently('no such user'), 'HOLDFAST_FAILED_PERMANENTLY')).toBe(true)
    const later = new RetryLater({ after: '5m' })
    expect([HoldfastError.is(later), RetryLater.is(later), later.after]).toEqual([false, true, 300_000])
  })

  test('RetryLater wants a span', () => {
    expect(() => new RetryLater({ after: -1 })).toThrow(HoldfastError)
  })
})

describe('toErrorData', () => {
  test('keeps name, message, code, stack and causes', () => {
    const error = Object.assign(new TypeError('outer', { cause: new RangeError('inner') }), { code: 'E_OUTER' })
    const data = toErrorData(error)
    expect(data).toMatchObject({ name: 'TypeError', message: 'outer', code: 'E_OUTER' })
    expect(data.cause).toMatchObject({ name: 'RangeError', message: 'inner' })
    expect(data.stack).toContain('outer')
    expect(structuredClone(data)).toEqual(data)
    expect(JSON.parse(JSON.stringify(data))).toEqual(data)
  })

  test('an error of another realm is one', () => {
    const thrown: unknown = runInNewContext(
      "Object.assign(new TypeError('elsewhere'), { code: 'E_X', cause: new Error('in') })",
    )
    expect(toErrorData(thrown)).toMatchObject({
      ...{ name: 'TypeError', message: 'elsewhere', code: 'E_X' },
      stack: expect.stringContaining('TypeError: elsewhere') as string,
      cause: { name: 'Error', message: 'in' },
    })
  })

  test('so is a plain object with a message', () => {
    const thrown = { message: 'duplicate key', code: '23505', severity: 'ERROR' }
    expect(toErrorData(thrown)).toEqual({ name: 'Error', message: 'duplicate key', code: '23505' })
    expect(toErrorData({ message: 'no', name: 5, code: 7, cause: 'why' })).toEqual({
      ...{ name: 'Error', message: 'no' },
      cause: { name: 'Error', message: 'why' },
    })
  })

  test('a text is kept as it is, up to the bound of messages', () => {
    expect(toErrorData('disk "a" is full')).toEqual({ name: 'Error', message: 'disk "a" is full' })
    expect(toErrorData('x'.repeat(5000)).message).toBe('x'.repeat(1000))
  })

  test('is bounded, whatever was thrown', () => {
    let error = new Error('x'.repeat(100_000))
    error.stack = Array.from({ length: 500 }, () => 'y'.repeat(500)).join('\n')
    error.name = 'N'.repeat(100_000)
    Object.assign(error, { code: 'C'.repeat(100_000) })
    for (let depth = 0; depth < 50; depth++) error = new Error('x'.repeat(100_000), { cause: error })
    expect(JSON.stringify(toErrorData(error)).length).toBeLessThan(50_000)
    expect(JSON.stringify(toErrorData(error.cause)).length).toBeLessThan(50_000)
  })

  test('the name is bounded too', () => {
    const error = Object.assign(new Error('x'), { name: 'N'.repeat(100_000) })
    expect(toErrorData(error).name.length).toBeLessThan(2000)
  })

  test('causes that go round end', () => {
    const error = new Error('a')
    error.cause = error
    expect(JSON.stringify(toErrorData(error)).length).toBeLessThan(50_000)
  })

  // The values are made late: a test runner that looks at them would meet what they throw.
  test.each<[string, () => unknown]>([
    ['a text', () => 'oops'],
    ['nothing', () => undefined],
    ['null', () => null],
    ['a BigInt', () => 5n],
    ['a symbol', () => Symbol('s')],
    ['a function', () => boom],
    ['an object', () => ({ a: 1 })],
    ['an array', () => [1, 2]],
    ['an object without prototype', () => Object.create(null) as unknown],
    ['an error of another realm', (): unknown => runInNewContext("new Error('elsewhere')")],
    ['an error whose message throws', () => Object.defineProperty(new Error('x'), 'message', { get: boom })],
    ['an error whose stack throws', () => Object.defineProperty(new Error('x'), 'stack', { get: boom })],
    ['an error whose cause throws', () => Object.defineProperty(new Error('x'), 'cause', { get: boom })],
    ['an error whose message is an object', () => Object.assign(new Error('x'), { message: { toString: boom } })],
    ['an error whose name is an object', () => Object.assign(new Error('x'), { name: { toString: boom } })],
    ['a proxy that throws', () => new Proxy({}, { get: boom, has: boom, getPrototypeOf: boom })],
    ['a revoked proxy', () => revoked()],
    ['an object whose constructor throws', () => Object.defineProperty({}, 'constructor', { get: boom })],
  ])('never throws: %s', (_, thrown) => {
    const data = toErrorData(thrown())
    expect([typeof data.name, typeof data.message]).toEqual(['string', 'string'])
    expect(structuredClone(data)).toEqual(data)
  })
})

describe('messages of bad options', () => {
  test('name the field, and carry the value', () => {
    const error = invalidOption('concurrency', 'an integer from 1', 0)
    expect([error.code, error.details]).toEqual(['HOLDFAST_INVALID_OPTION', { field: 'concurrency', value: 0 }])
    expect(error.message).toContain('concurrency')
    expect(error.message).toContain('0')
  })

  test('are short, whatever the value', () => {
    expect(described('x'.repeat(10_000)).length).toBeLessThan(100)
    expect(described(Array.from({ length: 10_000 })).length).toBeLessThan(100)
    expect(described({ a: 'x'.repeat(10_000) }).length).toBeLessThan(100)
  })
})

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
