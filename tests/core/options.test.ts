import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { knownOptions } from '../../src/core/errors.ts'
import { integerFrom, momentToMs, name, priorityToNumber, spanToMs } from '../../src/core/options.ts'
import { problemOf } from './doubles.ts'

const bad = (field: string) => ({ code: 'HOLDFAST_INVALID_OPTION', field })

describe('a span', () => {
  test.each([
    [0, 0],
    [250, 250],
    [0.4, 0],
    [1500.6, 1501],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['0s', 0],
  ])('%j is %i ms', (span, ms) => {
    expect(spanToMs('delay', span)).toBe(ms)
  })

  test.each([
    [-1],
    [Number.NaN],
    [Infinity],
    [-Infinity],
    [1e17],
    ['-5s'],
    ['5'],
    ['s'],
    [''],
    ['5 s'],
    [' 5s'],
    ['5s '],
    ['5S'],
    ['5sec'],
    ['5 parsecs'],
    ['1e3s'],
    ['1,5s'],
    ['0x10s'],
    ['1h30m'],
    [`${'9'.repeat(400)}s`],
    [null],
    [undefined],
    [true],
    [{}],
    [[5]],
    [5n],
  ])('%s is none', async (span) => {
    expect(await problemOf(() => spanToMs('delay', span))).toEqual(bad('delay'))
  })

  test('may have a least value', async () => {
    expect(spanToMs('leaseDuration', '1s', 1000)).toBe(1000)
    expect(await problemOf(() => spanToMs('leaseDuration', '999ms', 1000))).toEqual(bad('leaseDuration'))
  })
})

describe('a moment', () => {
  const moment = Date.UTC(2031, 1, 28, 12, 30, 15)

  test.each([
    [new Date(moment), moment],
    [moment, moment],
    [0, 0],
    [-1, -1],
    ['2031-02-28T12:30:15Z', moment],
    ['2031-02-28T12:30:15.250Z', moment + 250],
    ['2031-02-28T12:30Z', moment - 15_000],
    ['2031-02-28T13:30:15+01:00', moment],
    ['2031-02-28T07:00:15-05:30', moment],
    ['2032-02-29T00:00:00Z', Date.UTC(2032, 1, 29)],
  ])('%j is %i', (value, ms) => {
    expect(momentToMs('runAt', value)).toBe(ms)
  })

  test.each([
    ['2031-02-28T12:30:15'],
    ['2031-02-28'],
    ['2031-02-29T00:00:00Z'],
    ['2031-02-31T00:00:00Z'],
    ['2031-04-31T00:00:00Z'],
    ['2031-13-01T00:00:00Z'],
    ['2031-00-01T00:00:00Z'],
    ['2031-01-00T00:00:00Z'],
    ['2031-01-01T25:00:00Z'],
    ['2031-01-01T00:60:00Z'],
    ['2031-01-01 00:00:00Z'],
    ['2031-1-1T00:00:00Z'],
    ['1 January 2031 UTC'],
    ['tomorrow'],
    ['1798761600000'],
    [''],
    [new Date(Number.NaN)],
    [Number.NaN],
    [Infinity],
    [9e15],
    [null],
    [undefined],
    [true],
    [{}],
  ])('%s is none', async (value) => {
    expect(await problemOf(() => momentToMs('runAt', value))).toEqual(bad('runAt'))
  })
})

describe('a priority', () => {
  test.each([
    ['low', 0],
    ['normal', 1],
    ['high', 2],
    ['critical', 3],
    [-7, -7],
    [1_000_000, 1_000_000],
  ])('%j is %i', (value, priority) => {
    expect(priorityToNumber('priority', value)).toBe(priority)
  })

  test.each([['urgent'], ['HIGH'], ['toString'], ['__proto__'], [1.5], [2 ** 53], [Number.NaN], [null], [{}]])(
    '%s is none',
    async (value) => {
      expect(await problemOf(() => priorityToNumber('priority', value))).toEqual(bad('priority'))
    },
  )
})

describe('an integer', () => {
  test('keeps to its bounds', async () => {
    expect([integerFrom(1, 3)('n', 1), integerFrom(1, 3)('n', 3)]).toEqual([1, 3])
    for (const value of [0, 4, 1.5, Number.NaN, Infinity, '2', null, 2n]) {
      expect(await problemOf(() => integerFrom(1, 3)('n', value))).toEqual(bad('n'))
    }
  })
})

describe('a name', () => {
  test('is a text of some length without control characters', async () => {
    expect(name('id', 'send_email:42 ✉')).toBe('send_email:42 ✉')
    expect(name('id', 'x'.repeat(200))).toHaveLength(200)
    for (const value of ['', 'x'.repeat(201), 'a\nb', 'a\u0000', '\u007f', 42, null, undefined, {}]) {
      expect(await problemOf(() => name('id', value))).toEqual(bad('id'))
    }
  })
})

describe('options', () => {
  test('that nobody reads are named', async () => {
    expect(await problemOf(() => knownOptions('stop', { grace: 1 }, ['grace']))).toMatchObject({ code: 'none' })
    expect(await problemOf(() => knownOptions('stop', { grac: 1 }, ['grace']))).toEqual(bad('stop.grac'))
  })

  const module: string = 'data:text/javascript,export const grace = 1'

  test.each<[string, () => Promise<object> | object]>([
    ['that is a module', async () => (await import(module)) as object],
    ['of another realm', () => runInNewContext('({ grace: 1 })') as object],
    ['without a prototype', () => Object.assign(Object.create(null) as object, { grace: 1 })],
    ['with a tag of its own', () => ({ grace: 1, [Symbol.toStringTag]: 'Settings' })],
    [
      'of a class',
      () =>
        new (class {
          grace = 1
        })(),
    ],
  ])('may be an object %s', async (_, made) => {
    const options = await made()
    knownOptions('stop', options, ['grace'])
    expect(await problemOf(() => knownOptions('stop', options, ['grac']))).toEqual(bad('stop.grace'))
  })

  test.each([[null], [undefined], [[]], ['grace'], [5]])('are an object, not %j', async (options) => {
    expect(await problemOf(() => knownOptions('stop', options, ['grace']))).toEqual(bad('stop'))
  })
})
