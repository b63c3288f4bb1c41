import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW } from './moments.ts'
import { complete, fail } from './settlements.ts'
import { WORKER } from './site.ts'
import { spoil } from './spoil.ts'

/** Reads by id, and that nothing handed in or out is shared. `list.ts`, `filters.ts` and `counts.ts` have the others. */
export const read: readonly ConformanceCase[] = area('read', {
  'records are told in the order of the ids, null for unknown ones': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }])
    await site.settled(async (storage) => {
      const records = await storage.get(['two', 'nobody', 'one'])
      equal(
        records.map((record) => record?.id ?? null),
        ['two', null, 'one'],
        'the ids of the records',
      )
    })
  },

  'a handle sees at once what its own writes acknowledged': async (site) => {
    const storage = await site.storage()
    await storage.enqueue({ jobs: [site.newJob({ id: 'one' })], now: NOW })
    equal((await storage.get(['one']))[0]?.state, 'waiting', 'the state after the enqueue')
    await storage.session({ open: WORKER, leaseDuration: 30_000, now: NOW })
    const { jobs } = await storage.claim(site.claimRequest())
    equal((await storage.get(['one']))[0]?.state, 'running', 'the state after the claim')
    await storage.settle({ batch: jobs.map((job) => complete(job)), now: NOW })
    equal((await storage.get(['one']))[0]?.state, 'completed', 'the state after the completion')
  },

  'a job that was acknowledged to another handle is found at once': async (site) => {
    const [one, other] = await site.handles.pair()
    for (const id of ['first', 'second']) {
      await one.enqueue({ jobs: [site.newJob({ id })], now: NOW })
      equal((await other.get([id]))[0]?.state, 'waiting', 'the state right after the enqueue')
    }
  },

  'a definition that was acknowledged to another handle is found at once': async (site) => {
    const [one, other] = await site.handles.pair()
    for (const name of ['first', 'second']) {
      await one.define({ kind: 'automation', batch: [{ name, value: { name } }] })
      const names = (await other.definitions('automation')).map((definition) => definition.name)
      equal(names.includes(name), true, `that ${name} is among the definitions`)
    }
  },

  'an enqueued payload is a copy': async (site) => {
    const job = site.newJob({ id: 'one', payload: { list: [1, 2] } })
    const storage = await site.storage()
    await storage.enqueue({ jobs: [job], now: NOW })
    spoil(job)
    await site.shows('one', { payload: { list: [1, 2] } })
  },

  'a payload that replaces another is a copy': async (site) => {
    await site.add({ id: 'one', jobKey: 'key' })
    const job = site.newJob({ jobKey: 'key', payload: { list: [1, 2] } })
    const storage = await site.storage()
    await storage.enqueue({ jobs: [job], now: NOW })
    spoil(job)
    await site.shows('one', { payload: { list: [1, 2] } })
  },

  'the record an enqueue answers is a copy': async (site) => {
    spoil(await site.add({ id: 'one', payload: { list: [1, 2] } }))
    await site.shows('one', { id: 'one', state: 'waiting', payload: { list: [1, 2] } })
  },

  'the record a claim answers is a copy': async (site) => {
    await site.add({ id: 'one', payload: { list: [1, 2] } })
    const held = await site.claimOne()
    const { fence } = held
    spoil(held)
    await site.shows('one', { state: 'running', fence, payload: { list: [1, 2] } })
  },

  'a record that was read is a copy': async (site) => {
    await site.add({ id: 'one', payload: { list: [1, 2] } })
    spoil(await site.job('one'))
    await site.shows('one', { state: 'waiting', attempts: 0, payload: { list: [1, 2] } })
  },

  'a listed record is a copy': async (site) => {
    await site.add({ id: 'one', payload: { list: [1, 2] } })
    const storage = await site.handles.latest()
    const orderBy = [{ path: ['createdAt'], direction: 'desc' }] as const
    spoil(await storage.list({ where: {}, orderBy, limit: 10, after: null, now: NOW }))
    await site.shows('one', { state: 'waiting', payload: { list: [1, 2] } })
  },

  'a running record is a copy': async (site) => {
    await site.add({ id: 'one', payload: { list: [1, 2] } })
    await site.claimOne()
    const storage = await site.handles.latest()
    spoil(await storage.running({ session: WORKER, types: ['task'], limit: 10 }))
    await site.shows('one', { state: 'running', session: WORKER, payload: { list: [1, 2] } })
  },

  'a result is a copy': async (site) => {
    await site.add({ id: 'one' })
    const settlement = complete(await site.claimOne(), { list: [1, 2] })
    await site.settle(settlement)
    spoil(settlement)
    await site.shows('one', { result: { list: [1, 2] } })
  },

  'an error is a copy': async (site) => {
    await site.add({ id: 'one' })
    const cause = { name: 'TypeError', message: 'deep' }
    const settlement = { ...fail(await site.claimOne()), error: { name: 'Error', message: 'boom', cause } }
    await site.settle(settlement)
    spoil(settlement)
    const error = { name: 'Error', message: 'boom', cause: { name: 'TypeError', message: 'deep' } }
    await site.shows('one', { error })
    equal((await site.job('one')).history[0]?.error, error, 'the error in the history')
  },

  'progress is a copy': async (site) => {
    await site.add({ id: 'one' })
    const { id, fence } = await site.claimOne()
    const progress = [{ id, fence, value: { list: [1, 2] } }]
    await site.beat({ holds: [{ id, fence }], progress })
    spoil(progress)
    await site.shows('one', { progress: { list: [1, 2] } })
  },

  'an amended record is a copy': async (site) => {
    await site.add({ id: 'one', payload: { list: [1, 2] } })
    spoil(await site.amend({ kind: 'reschedule', id: 'one', priority: 3 }))
    await site.shows('one', { priority: 3, payload: { list: [1, 2] } })
  },

  'a definition is a copy, going in and coming out': async (site) => {
    const batch = [{ name: 'one', value: { list: [1, 2] } }]
    const storage = await site.storage()
    await storage.define({ kind: 'automation', batch })
    spoil(batch)
    spoil(await storage.definitions('automation'))
    const [record] = await storage.definitions('automation')
    equal(record, { name: 'one', value: { list: [1, 2] }, watermark: null }, 'the definition')
  },

  'a session record is a copy': async (site) => {
    await site.open('a')
    const storage = await site.handles.latest()
    const before = await storage.sessions()
    const { beats, epoch } = before[0] ?? {}
    spoil(before)
    const [after] = await storage.sessions()
    equal([after?.id, after?.beats, after?.epoch], ['a', beats, epoch], 'the session')
  },
})
