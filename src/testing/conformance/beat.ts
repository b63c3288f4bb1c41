import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { complete, interrupt } from './settlements.ts'

const NOTHING = { cancel: [], lost: [], orphans: [], ended: false }

/** One beat keeps all jobs of a session and compares what executor and storage believe. */
export const beat: readonly ConformanceCase[] = area('beat', {
  'a beat that names all it holds has nothing to tell': async (site) => {
    await site.addAll([{}, {}])
    const { jobs } = await site.claim()
    equal(await site.beat({ holds: jobs.map(({ id, fence }) => ({ id, fence })) }), NOTHING, 'the answer')
  },

  'a job that was taken back is lost': async (site) => {
    await site.addAll([{ id: 'lost' }, { id: 'kept' }])
    const { jobs } = await site.claim({ session: 'a' })
    const [lost] = jobs
    if (lost === undefined) throw new Error('A job was to be claimed')
    await site.settle(interrupt(lost))
    equal(await site.beat({ session: 'a', holds: jobs }), { ...NOTHING, lost: ['lost'] }, 'the answer')
  },

  'a job that another session holds is lost': async (site) => {
    await site.add({ id: 'one' })
    const old = await site.claimOne({ session: 'a' })
    await site.settle(interrupt(old))
    await site.claimOne({ session: 'b' })
    equal(await site.beat({ session: 'a', holds: [old] }), { ...NOTHING, lost: ['one'] }, 'the answer')
    await site.shows('one', { state: 'running', session: 'b' })
  },

  'an earlier attempt is lost, though the session holds the job again': async (site) => {
    await site.add({ id: 'one' })
    const old = await site.claimOne({ session: 'a' })
    await site.settle(interrupt(old))
    const held = await site.claimOne({ session: 'a' })
    equal((await site.beat({ session: 'a', holds: [old] })).lost, ['one'], 'the lost jobs')
    equal((await site.beat({ session: 'a', holds: [held] })).lost, [], 'the lost jobs of the new attempt')
  },

  'a job that was removed or finished is lost': async (site) => {
    await site.addAll([{ id: 'finished' }, { id: 'removed' }])
    const { jobs } = await site.claim()
    for (const job of jobs) await site.settle(complete(job))
    await site.amend({ kind: 'remove', id: 'removed' })
    equal([...(await site.beat({ holds: jobs })).lost].sort(), ['finished', 'removed'], 'the lost jobs')
  },

  'a held job that the beat does not name is an orphan': async (site) => {
    await site.add()
    const { id, fence } = await site.claimOne()
    equal(await site.beat(), { ...NOTHING, orphans: [{ id, fence }] }, 'the answer')
    await site.shows(id, { state: 'running' })
  },

  'a job of a claim under way is no orphan': async (site) => {
    await site.add()
    await site.claimOne({ requestId: 'under way' })
    equal(await site.beat({ claiming: ['under way'] }), NOTHING, 'the answer')
  },

  'a beat stores progress': async (site) => {
    const { id } = await site.add()
    const { fence } = await site.claimOne()
    await site.beat({ holds: [{ id, fence }], progress: [{ id, fence, value: { percent: 40 } }] })
    await site.shows(id, { progress: { percent: 40 }, state: 'running' })
    await site.beat({ holds: [{ id, fence }], progress: [{ id, fence, value: { percent: 80 } }] })
    await site.shows(id, { progress: { percent: 80 } })
  },

  'a beat tells of no job of another session': async (site) => {
    const { id } = await site.add()
    await site.claimOne({ session: 'a' })
    await site.amend({ kind: 'cancel', id, reason: 'asked' })
    equal(await site.beat({ session: 'b' }), NOTHING, 'the answer')
  },
})
