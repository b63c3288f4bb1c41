import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE, NOW } from './moments.ts'
import { repeated } from './repetition.ts'
import { complete, retry } from './settlements.ts'
import { ids, only, WORKER } from './site.ts'

/** Guarantee 8 for enqueues, claims and sessions. `repeat-settle.ts` and `repeat-amend.ts` have the other calls. */
export const repeat: readonly ConformanceCase[] = area('repeat', {
  'a repeated open answers the same epoch': async (site) => {
    await site.open('earlier')
    const { first, second } = await repeated(site, (storage) =>
      storage.session({ open: 'a', leaseDuration: 30_000, now: NOW }),
    )
    equal(second, first, 'the answer')
    ok((await site.open('later')) > first.epoch, 'a later session to get a higher epoch')
  },

  'a repeated close gives the jobs back once': async (site) => {
    const { id } = await site.add()
    await site.settle(retry(await site.claimOne({ session: 'a' })))
    await site.claimOne({ session: 'a' })
    await repeated(site, (storage) => storage.session({ close: 'a', now: NOW }))
    await site.shows(id, { state: 'waiting', attempts: 1 })
  },

  'a repeated close leaves the job to who holds it now': async (site) => {
    const { id } = await site.add()
    await site.claimOne({ session: 'a' })
    await site.close('a')
    const held = await site.claimOne({ session: 'b' })
    await site.close('a')
    await site.shows(id, held)
  },

  'a repeated enqueue stores nothing twice': async (site) => {
    const jobs = [site.newJob({ payload: { n: 1 } }), site.newJob(), site.newJob({ ...delayed(MINUTE) })]
    const { first, second } = await repeated(site, (storage) => storage.enqueue({ jobs, now: NOW }))
    equal(second, first, 'the answer')
    await site.settled(async (storage) => equal((await storage.counts({ now: NOW })).pending, 2, 'the pending jobs'))
  },

  'a repeated enqueue leaves a job that has started since': async (site) => {
    const jobs = [site.newJob()]
    await (await site.storage()).enqueue({ jobs, now: NOW })
    const held = await site.claimOne()
    const answer = await (await site.storage()).enqueue({ jobs, now: NOW })
    ok(answer.accepted, 'the repeat to be accepted')
    equal(only(answer.jobs, 'the answer').disposition, 'created', 'the disposition')
    await site.shows(held.id, held)
  },

  'a repeated enqueue with a free key creates once': async (site) => {
    const jobs = [site.newJob({ jobKey: 'key', payload: [1] })]
    const { first, second } = await repeated(site, (storage) => storage.enqueue({ jobs, now: NOW }))
    equal(second, first, 'the answer')
  },

  'a repeated enqueue that replaced does so once': async (site) => {
    await site.add({ id: 'holder', jobKey: 'key', payload: [1] })
    const jobs = [site.newJob({ jobKey: 'key', payload: [2] })]
    const { second } = await repeated(site, (storage) => storage.enqueue({ jobs, now: NOW }))
    ok(second.accepted, 'the repeat to be accepted')
    equal(only(second.jobs, 'the answer').id, 'holder', 'the id in the answer')
    await site.shows('holder', { payload: [1, 2] })
  },

  'a repeated enqueue that deduplicated raises the revision once': async (site) => {
    const { revision } = await site.add({ id: 'holder', jobKey: 'key' })
    const jobs = [site.newJob({ jobKey: 'key', jobKeyMode: 'unsafeDedupe' })]
    const { second } = await repeated(site, (storage) => storage.enqueue({ jobs, now: NOW }))
    ok(second.accepted, 'the repeat to be accepted')
    equal(only(second.jobs, 'the answer').id, 'holder', 'the id in the answer')
    await site.shows('holder', { revision: revision + 1 })
  },

  'a repeated enqueue that took a key over creates once': async (site) => {
    await site.add({ id: 'holder', jobKey: 'key' })
    await site.claimOne()
    const jobs = [site.newJob({ id: 'next', jobKey: 'key' })]
    const { first, second } = await repeated(site, (storage) => storage.enqueue({ jobs, now: NOW }))
    equal(second, first, 'the answer')
  },

  'a repeated batch with one key twice joins its payloads once': async (site) => {
    const jobs = [1, 2, 3].map((n) => site.newJob({ id: `job ${n}`, jobKey: 'key', payload: [n] }))
    await repeated(site, (storage) => storage.enqueue({ jobs, now: NOW }))
    await site.shows('job 1', { payload: [1, 2, 3] })
  },

  'a repeated enqueue does not undo a later one with its key': async (site) => {
    await site.add({ id: 'holder', jobKey: 'key', payload: 'first' })
    const jobs = [site.newJob({ jobKey: 'key', payload: 'second' })]
    await (await site.storage()).enqueue({ jobs, now: NOW })
    await site.add({ jobKey: 'key', payload: 'third' })
    await (await site.storage()).enqueue({ jobs, now: NOW })
    await site.shows('holder', { payload: 'third' })
  },

  'a repeated enqueue does not run a replaced job again after its end': async (site) => {
    await site.add({ id: 'holder', jobKey: 'key' })
    const jobs = [site.newJob({ jobKey: 'key' })]
    await (await site.storage()).enqueue({ jobs, now: NOW })
    await site.settle(complete(await site.claimOne()))
    await (await site.storage()).enqueue({ jobs, now: NOW })
    equal((await site.claim()).jobs, [], 'the claimed jobs')
  },

  'a repeated large batch is stored once': async (site) => {
    const jobs = Array.from({ length: 300 }, () => site.newJob())
    await repeated(site, (storage) => storage.enqueue({ jobs, now: NOW }))
    await site.settled(async (storage) => equal((await storage.counts({ now: NOW })).pending, 300, 'the pending jobs'))
  },

  'a repeated claim answers the same jobs and takes no others': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }])
    await site.open(WORKER)
    const request = site.claimRequest({ limit: 2 })
    const { first, second } = await repeated(site, (storage) => storage.claim(request))
    equal(second.jobs, first.jobs, 'the claimed jobs')
    await site.shows('three', { state: 'waiting' })
  },

  'a repeated claim answers its jobs though a better one came': async (site) => {
    await site.add({ id: 'one' })
    const first = await site.claimOne({ requestId: 'request', limit: 1 })
    await site.add({ id: 'better', priority: 3 })
    equal(await site.claimOne({ requestId: 'request', limit: 1 }), first, 'the claimed job')
    await site.shows('better', { state: 'waiting' })
  },

  'a repeated claim tells how long to sleep, like the first': async (site) => {
    await site.addAll([{}, delayed(MINUTE)])
    await site.claimOne({ requestId: 'request' })
    equal((await site.claim({ requestId: 'request' })).nextRunAt, NOW + MINUTE, 'nextRunAt')
  },

  'a claim with a new name takes others': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }])
    await site.claimOne({ requestId: 'first', limit: 1 })
    equal(ids((await site.claim({ requestId: 'second', limit: 1 })).jobs), ['two'], 'the claimed jobs')
  },

  'a repeated claim starts no more than the rate allows': async (site) => {
    await site.addAll([{}, {}, {}])
    const lanes = [{ type: 'task', limit: { rate: { count: 2, per: MINUTE } } }]
    await site.claimOne({ requestId: 'request', limit: 1, lanes })
    await site.claimOne({ requestId: 'request', limit: 1, lanes })
    equal((await site.claim({ lanes })).jobs.length, 1, 'the number of jobs that may still start')
  },

  'a repeated beat keeps jobs and progress': async (site) => {
    await site.add({ id: 'one' })
    const { id, fence } = await site.claimOne()
    const progress = [{ id, fence, value: 50 }]
    const request = { session: WORKER, now: NOW, holds: [{ id, fence }], claiming: [], progress }
    const { first, second } = await repeated(site, (storage) => storage.beat(request))
    equal(second, first, 'the answer')
    await site.shows('one', { state: 'running', progress: 50 })
  },
})
