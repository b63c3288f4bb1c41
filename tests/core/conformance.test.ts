import { describe, expect, test } from 'vitest'
import { memory } from '../../src/adapters/memory/index.ts'
import { conformance, type StorageUnderTest } from '../../src/testing/index.ts'
import { memoryTarget } from './kit-targets.ts'
import { problemOf } from './doubles.ts'

const { name } = memoryTarget
const create: StorageUnderTest['create'] = () => memoryTarget.create()
const [proof] = conformance(memoryTarget)

describe('a storage that the kit cannot take is refused before it runs, by the name of what is wrong', () => {
  const bad: readonly (readonly [field: string, target: unknown])[] = [
    ['conformance', undefined],
    ['conformance', null],
    ['conformance', memory],
    ['conformance.offer', { name, create, offer: ['two handles'] }],
    ['conformance.name', { create }],
    ['conformance.create', { name }],
    ['conformance.create', { name, create: memory() }],
    ['conformance.offers', { name, create, offers: 'two handles' }],
    ['conformance.offers[1]', { name, create, offers: ['two handles', 'two handle'] }],
    ['conformance.pause', { name, create, pause: 5 }],
    ['conformance.skip', { name, create, skip: ['claim: nothing'] }],
    ['conformance.skip.claim: nothing', { name, create, skip: { 'claim: nothing': 'no such case' } }],
  ]

  test.each(bad)('%s', async (field, target) => {
    const problem = await problemOf(() => conformance(target as StorageUnderTest))
    expect(problem).toEqual({ code: 'HOLDFAST_INVALID_OPTION', field })
  })
})

test('a storage that offers nothing is run with one handle', () => {
  const runs = conformance({ name, create })
  expect(runs.filter(({ skip }) => skip === null).length).toBeGreaterThan(500)
  expect(runs.find(({ name: title }) => title.endsWith('(two handles)'))?.skip).toBe('needs two handles')
})

test('the reason of a case that is skipped stands at its runs', () => {
  const title = String(proof?.name).replace(/ \([a-z ]+\)$/, '')
  const skipped = conformance({ ...memoryTarget, skip: { [title]: 'cannot' } }).filter(({ skip }) => skip === 'cannot')
  expect(skipped.map((run) => run.name)).toContain(proof?.name)
})

describe('a handle that does not catch up', () => {
  /** Two handles that share nothing: the one sees nothing of what the other wrote. */
  const apart = { name: 'apart', offers: ['two handles'], create } satisfies StorageUnderTest
  const failed = (target: StorageUnderTest): Promise<unknown> => {
    const run = conformance(target).find((one) => one.name === 'pause: the pauses are told (two handles)')
    return Promise.resolve(run?.run()).then(
      () => null,
      (error: unknown) => error,
    )
  }

  test('is told with a hint at `pause`, and with what was expected', async () => {
    const error = await failed(apart)
    expect(error).toMatchObject({ message: expect.stringMatching(/the pauses.*`pause`/s) as unknown })
    expect(error).toHaveProperty('expected')
  })

  test('is told as it is where `pause` is given, which is told of each read that showed too little', async () => {
    const reads: number[] = []
    const pause = (read: number): Promise<void> => Promise.resolve(void reads.push(read))
    expect(await failed({ ...apart, pause })).toMatchObject({
      message: expect.not.stringContaining('`pause`') as unknown,
    })
    expect(reads).toEqual(Array.from({ length: 200 }, (_, at) => at + 1))
  })
})
