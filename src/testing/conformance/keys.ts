import type { EnqueueAnswer, NewJob } from '../../core/storage/contract.ts'
import { equal, matches, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE, NOW } from './moments.ts'
import { complete, retry } from './settlements.ts'
import { ids, only, type Site } from './site.ts'

/** What a call with a job key does to the waiting holder of the key. `key-holders.ts` has the other holders. */
export const keys: readonly ConformanceCase[] = area('keys', {
  'a free key creates a job': async (site) => {
    const answer = await call(site, { id: 'one', jobKey: 'key' })
    equal([answer.id, answer.disposition], ['one', 'created'], 'the answer')
    await site.shows('one', { jobKey: 'key' })
  },

  'different keys do not touch each other': async (site) => {
    await call(site, { id: 'one', jobKey: 'first' })
    const answer = await call(site, { id: 'two', jobKey: 'second' })
    equal([answer.id, answer.disposition], ['two', 'created'], 'the answer')
  },

  'replace updates the waiting holder in place': async (site) => {
    const before = (await call(site, { id: 'one', jobKey: 'key', payload: 1 })).job
    const answer = await call(site, { id: 'two', jobKey: 'key', payload: 2 })
    equal([answer.id, answer.disposition], ['one', 'replaced'], 'the answer')
    await site.shows('one', { payload: 2, revision: before.revision + 1 })
    await site.gone('two')
  },

  'replace sets every detail anew': async (site) => {
    await call(site, { id: 'one', jobKey: 'key', queueName: 'old', limitKey: 'old', requires: ['old'] })
    await call(site, { ...SPECIAL, jobKey: 'key' })
    await site.shows('one', SPECIAL)
  },

  'replace sets what the newer call leaves out to its default': async (site) => {
    const plain = await site.add({ id: 'plain', payload: 'new' })
    await call(site, { ...SPECIAL, id: 'one', jobKey: 'key', requires: [] })
    await site.settle(retry(await site.claimOne({ lanes: [{ type: 'other', payloadVersion: 2 }] })))
    const before = await site.job('one')
    await call(site, { jobKey: 'key', payload: 'new' })
    const { sequence, fence, history, outcome, startedAt } = before
    const revision = before.revision + 1
    const { absorbed: _absorbed, digest: _digest, ...details } = plain
    const kept = { sequence, fence, history, outcome, startedAt }
    await site.shows('one', { ...details, ...kept, id: 'one', jobKey: 'key', revision })
  },

  'replace takes the new moment': async (site) => {
    await call(site, { id: 'one', jobKey: 'key', ...delayed(MINUTE) })
    await call(site, { jobKey: 'key', ...delayed(5 * MINUTE) })
    await site.shows('one', delayed(5 * MINUTE))
    equal((await site.claim({ now: NOW + MINUTE })).jobs, [], 'the jobs claimed at the old moment')
    equal(ids((await site.claim({ now: NOW + 5 * MINUTE })).jobs), ['one'], 'the jobs claimed at the new one')
  },

  'replace makes a delayed job due at once': async (site) => {
    await call(site, { id: 'one', jobKey: 'key', ...delayed(MINUTE) })
    await call(site, { jobKey: 'key' })
    equal(ids((await site.claim()).jobs), ['one'], 'the claimed jobs')
  },

  'replace sets the counters to zero and clears the error': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.settle(retry(await site.claimOne()))
    await call(site, { jobKey: 'key' })
    await site.shows('one', { attempts: 0, failures: 0, interruptions: 0, error: null })
  },

  'a replaced job is claimed by its new type, priority and serial queue': async (site) => {
    await site.addAll([
      { id: 'holds', queueName: 'old' },
      { id: 'one', jobKey: 'key', queueName: 'old' },
      { id: 'first' },
    ])
    await site.claimOne({ limit: 1 })
    await call(site, { jobKey: 'key', type: 'other', queueName: 'new', priority: 3 })
    const lanes = [{ type: 'task' }, { type: 'other' }]
    equal(ids((await site.claim({ lanes })).jobs), ['one', 'first'], 'the claimed jobs')
  },

  'preserveRunAt keeps the moment of a job that was never tried': async (site) => {
    await call(site, { id: 'one', jobKey: 'key', payload: 1, ...delayed(MINUTE) })
    const later = { jobKeyMode: 'preserveRunAt', payload: 2, ...delayed(5 * MINUTE) } as const
    const answer = await call(site, { jobKey: 'key', ...later })
    equal([answer.id, answer.disposition], ['one', 'replaced'], 'the answer')
    await site.shows('one', { payload: 2, ...delayed(MINUTE) })
  },

  'preserveRunAt takes the new moment after an attempt': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.settle({ ...retry(await site.claimOne()), runAt: NOW + MINUTE, delay: MINUTE })
    await call(site, { jobKey: 'key', jobKeyMode: 'preserveRunAt', ...delayed(5 * MINUTE) })
    await site.shows('one', { attempts: 0, ...delayed(5 * MINUTE) })
  },

  'a batch does with keys what the calls one after another would, whatever their modes': async (site) => {
    const calls = (key: string): readonly Partial<NewJob>[] => [
      { id: `${key} a`, payload: [1], priority: 2, ...delayed(MINUTE) },
      { id: `${key} b`, payload: [2], jobKeyMode: 'preserveRunAt', maxRetries: 7 },
      { id: `${key} c`, payload: [3], jobKeyMode: 'unsafeDedupe', priority: 3 },
      { id: `${key} d`, payload: [4], ...delayed(5 * MINUTE) },
      { id: `${key} e`, payload: 'text', jobKeyMode: 'preserveRunAt' },
      { id: `${key} a`, payload: [1], priority: 2, ...delayed(MINUTE) },
    ]
    const keyed = (key: string) => calls(key).map((one) => ({ ...one, jobKey: key }))
    const batch = await site.enqueue(keyed('many'))
    const singly: string[] = []
    for (const one of keyed('one')) singly.push((await call(site, one)).disposition)
    ok(batch.accepted, 'the batch to be accepted')
    equal(singly, ['created', 'replaced', 'kept', 'replaced', 'replaced', 'created'], 'what each call did')
    equal(
      batch.jobs.map(({ disposition }) => disposition),
      singly,
      'what the items of the batch did',
    )
    const [{ sequence: _, id: _id, jobKey: _key, absorbed, ...details }, other] = [
      await site.job('one a'),
      await site.job('many a'),
    ]
    matches(other, details, 'the job that the batch made')
    equal(other.absorbed.length, absorbed.length, 'the calls that were folded into it')
  },

  'an id that a batch names again is a repeat, into whatever job it was folded': async (site) => {
    const calls = (key: string): readonly Partial<NewJob>[] => {
      const folded = { id: `${key} b`, jobKey: key, payload: [2] }
      const deduped = { id: `${key} d`, jobKey: key, jobKeyMode: 'unsafeDedupe', payload: [4] } as const
      return [
        { id: `${key} a`, jobKey: key, payload: [1] },
        ...[folded, folded, { ...folded, jobKey: null }],
        // Lists of two versions are not joined, so the key is another job's from here on.
        { id: `${key} c`, jobKey: key, payload: [3], payloadVersion: 2 },
        ...[folded, deduped, deduped],
      ]
    }
    const batch = await site.enqueue(calls('many'))
    ok(batch.accepted, 'the batch to be accepted')
    const singly: KeyedAnswer[] = []
    for (const one of calls('one')) singly.push(await call(site, one))
    const told = ({ id, disposition }: KeyedAnswer) => [id.split(' ')[1], disposition]
    const first = ['a', 'replaced']
    const expected = [['a', 'created'], first, first, first, ['c', 'created'], first, ['c', 'kept'], ['c', 'kept']]
    equal(singly.map(told), expected, 'what each call did')
    equal(batch.jobs.map(told), expected, 'what the items of the batch did')
    for (const [name, payload] of [
      ['a', [1, 2]],
      ['c', [3]],
    ] as const)
      for (const key of ['one', 'many']) await site.shows(`${key} ${name}`, { payload, revision: 1 })
  },

  'a batch forgets the ids of calls that were folded long ago when the calls one after another would': async (site) => {
    const calls = (key: string): readonly Partial<NewJob>[] =>
      [...Array(20).keys(), 1].map((n) => ({ id: `${key} ${n}`, jobKey: key, payload: [n] }))
    ok((await site.enqueue(calls('many'))).accepted, 'the batch to be accepted')
    for (const one of calls('one')) await call(site, one)
    const { payload, revision } = await site.job('one 0')
    await site.shows('many 0', { payload, revision })
  },

  'a batch takes an id of a call that was folded long ago for a new one when the calls one after another would': async (
    site,
  ) => {
    const calls = (key: string): readonly Partial<NewJob>[] =>
      [...Array(20).keys(), 1].map((n, at) => ({ id: `${key} ${n}`, jobKey: key, payload: [at] }))
    ok((await site.enqueue(calls('many'))).accepted, 'the batch to be accepted')
    for (const one of calls('one')) await call(site, one)
    const { payload, revision } = await site.job('one 0')
    await site.shows('many 0', { payload, revision })
  },

  'unsafeDedupe changes nothing of the waiting holder but its revision': async (site) => {
    const before = (await call(site, { id: 'one', jobKey: 'key', payload: 1, ...delayed(MINUTE) })).job
    const answer = await call(site, { jobKey: 'key', jobKeyMode: 'unsafeDedupe', payload: 2, priority: 3 })
    equal([answer.id, answer.disposition], ['one', 'kept'], 'the answer')
    const { absorbed: _, ...kept } = before
    await site.shows('one', { ...kept, revision: before.revision + 1 })
  },

  'unsafeDedupe with a free key creates a job': async (site) => {
    const answer = await call(site, { id: 'one', jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    equal([answer.id, answer.disposition], ['one', 'created'], 'the answer')
  },

  'array payloads are joined': async (site) => {
    await call(site, { id: 'one', jobKey: 'key', payload: [1] })
    await call(site, { jobKey: 'key', payload: [2, { n: 3 }] })
    await call(site, { jobKey: 'key', payload: [4], jobKeyMode: 'preserveRunAt' })
    await site.shows('one', { payload: [1, 2, { n: 3 }, 4] })
  },

  'an array does not join what is no array': async (site) => {
    await call(site, { id: 'one', jobKey: 'key', payload: { n: 1 } })
    await call(site, { jobKey: 'key', payload: [2] })
    await site.shows('one', { payload: [2] })
  },

  'a list that has no room for another runs as it is, without the key': async (site) => {
    const atMost = { joinedAtMost: { json: '[111,222,333]'.length, binary: 0 } }
    for (const jobKeyMode of ['replace', 'preserveRunAt'] as const) {
      const key = { ...atMost, jobKey: jobKeyMode, jobKeyMode }
      await call(site, { ...key, id: `full ${jobKeyMode}`, payload: [111, 222], ...delayed(MINUTE) })
      const fits = await call(site, { ...key, payload: [333], ...delayed(MINUTE) })
      equal(fits.disposition, 'replaced', 'what the call did that still had room')
      const before = await site.job(`full ${jobKeyMode}`)
      const next = await call(site, { ...key, id: `next ${jobKeyMode}`, payload: [4], ...delayed(5 * MINUTE) })
      equal([next.id, next.disposition], [`next ${jobKeyMode}`, 'created'], 'the answer when there was none')
      await site.shows(before.id, { ...before, jobKey: null })
      await site.shows(next.id, { jobKey: jobKeyMode, payload: [4], ...delayed(5 * MINUTE) })
      equal((await call(site, { ...key, payload: [5] })).id, next.id, 'who takes the next call')
    }
  },

  'a list that is full takes in no more within a batch or after an outcome either': async (site) => {
    const key = { joinedAtMost: { json: '[1,2]'.length, binary: 0 }, jobKey: 'key' }
    ok((await site.enqueue([1, 2, 3, 4, 5].map((n) => ({ ...key, id: `${n}`, payload: [n] })))).accepted, 'the batch')
    await site.add({ id: 'parent', type: 'parent' })
    const parent = only((await site.claim({ lanes: [{ type: 'parent' }] })).jobs, 'the parent')
    const chained = [6, 7].map((n) => site.newJob({ ...key, id: `${n}`, payload: [n] }))
    equal(await site.settle({ ...complete(parent), enqueue: chained }), 'ok', 'the verdict')
    const payloads = (await site.claim()).jobs.map(({ payload }) => payload)
    equal(payloads, [[1, 2], [3, 4], [5, 6], [7]], 'what is to run')
  },

  'two jobs of one key in a batch are like two calls': async (site) => {
    const answer = await site.enqueue([
      { id: 'one', jobKey: 'key', payload: 1 },
      { id: 'two', jobKey: 'key', payload: 2 },
    ])
    ok(answer.accepted, 'the enqueue to be accepted')
    const answers = answer.jobs.map(({ id, disposition }) => [id, disposition])
    equal(
      answers,
      [
        ['one', 'created'],
        ['one', 'replaced'],
      ],
      'the answers',
    )
    await site.shows('one', { payload: 2 })
  },

  'the id of a replaced holder with another payload is refused, with its own it is a repeat': async (site) => {
    await call(site, { id: 'one', jobKey: 'key', payload: { a: 1, b: 2 } })
    await call(site, { id: 'two', jobKey: 'key', payload: 2 })
    equal(await site.enqueue([{ id: 'one', payload: 2 }]), { accepted: false, index: 0, id: 'one' }, 'the new payload')
    const other = await site.enqueue([{ id: 'one', type: 'other', payload: { a: 1, b: 2 } }])
    equal(other.accepted, false, '`accepted` for another type')
    const before = await site.job('one')
    const repeat = await call(site, { id: 'one', jobKey: 'key', payload: { b: 2, a: 1 } })
    equal([repeat.id, repeat.disposition], ['one', 'created'], 'the answer to the repeat')
    await site.shows('one', before)
  },

  'a refused batch leaves the holders of its keys alone': async (site) => {
    await site.addAll([
      { id: 'one', jobKey: 'key', payload: 1 },
      { id: 'known', payload: 1 },
    ])
    const before = await site.job('one')
    const answer = await site.enqueue([
      { jobKey: 'key', payload: 2 },
      { id: 'known', payload: 2 },
    ])
    equal(answer.accepted, false, '`accepted`')
    await site.shows('one', before)
  },

  'many concurrent calls with one key leave one waiting holder': async (site) => {
    const pair = await site.handles.pair()
    const calls = Array.from({ length: 20 }, (_, index) => {
      const job = site.newJob({ jobKey: 'key', payload: [index] })
      return pair[index % 2 === 0 ? 0 : 1].enqueue({ jobs: [job], now: NOW })
    })
    const answers = await Promise.all(calls)
    const created = answers.filter((answer) => answer.accepted && answer.jobs[0]?.disposition === 'created')
    equal(created.length, 1, 'the number of calls that created')
    const { jobs } = await site.claim()
    const numbers = [...(only(jobs, 'the holder').payload as number[])].sort((left, right) => left - right)
    equal(
      numbers,
      Array.from({ length: 20 }, (_, index) => index),
      'the joined payloads',
    )
  },
})

/** A job of which every detail differs from the default. */
const SPECIAL: Partial<NewJob> = {
  ...{ type: 'other', payload: 'special', payloadVersion: 2, priority: 7, maxRetries: 9, maxInterruptions: 8 },
  ...{ timeout: 1234, leaseDuration: 4321, queueName: 'new', serial: 'strict', limitKey: 'new', requires: ['new'] },
  ...{ backoff: { kind: 'fixed', delay: 10, jitter: 0 }, expireAfter: 60 * MINUTE, depth: 3 },
}

export type KeyedAnswer = Extract<EnqueueAnswer, { readonly accepted: true }>['jobs'][number]

/** One accepted enqueue. */
export async function call(site: Site, job: Partial<NewJob>): Promise<KeyedAnswer> {
  const answer = await site.enqueue([job])
  ok(answer.accepted, 'the enqueue to be accepted')
  return only(answer.jobs, 'the answer')
}
