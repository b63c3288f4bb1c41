import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW, SECOND } from './moments.ts'
import { BOOM, cancelled, complete, EVERY_KIND, fail, release, retry, verdictsOf } from './settlements.ts'
import { ids } from './site.ts'

const END = NOW + SECOND
const free = { session: null, cancelRequested: null } as const

export const settle: readonly ConformanceCase[] = area('settle', {
  'a completion stores its result and ends the job': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne()
    equal(await site.settle(complete(held, { sum: 3 }), END), 'ok', 'the verdict')
    const ended = { state: 'completed', result: { sum: 3 }, outcome: 'completed', finishedAt: END } as const
    await site.shows(id, { ...ended, ...free, attempts: 1, failures: 0, interruptions: 0, error: null })
  },

  'a completion clears the error of an earlier attempt': async (site) => {
    const { id } = await site.add()
    await site.settle(retry(await site.claimOne()))
    await site.settle(complete(await site.claimOne()))
    await site.shows(id, { error: null, failures: 1, attempts: 2 })
  },

  'a retry makes the job wait and counts the failure, not another attempt': async (site) => {
    const { id } = await site.add()
    const due = { runAt: END + MINUTE, delay: MINUTE }
    equal(await site.settle({ ...retry(await site.claimOne()), ...due }, END), 'ok', 'the verdict')
    const counters = { attempts: 1, failures: 1, interruptions: 0 }
    await site.shows(id, {
      state: 'waiting',
      ...due,
      ...free,
      ...counters,
      error: BOOM,
      outcome: 'failed',
      finishedAt: null,
    })
  },

  'a retry after an interruption counts the interruption': async (site) => {
    const { id } = await site.add()
    await site.settle({ ...retry(await site.claimOne()), counts: 'interruption' })
    const counters = { attempts: 1, failures: 0, interruptions: 1 }
    await site.shows(id, { state: 'waiting', ...counters, error: BOOM, outcome: 'interrupted' })
  },

  'a job that is to be retried starts at its moment, not before': async (site) => {
    const { id } = await site.add()
    await site.settle({ ...retry(await site.claimOne()), runAt: NOW + MINUTE, delay: MINUTE })
    const early = await site.claim({ now: NOW + MINUTE - 1 })
    equal([early.jobs.length, early.nextRunAt], [0, NOW + MINUTE], 'the number of jobs claimed early, and nextRunAt')
    equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), [id], 'the jobs claimed at the moment')
  },

  'a failure ends the job and counts': async (site) => {
    const { id } = await site.add()
    equal(await site.settle(fail(await site.claimOne()), END), 'ok', 'the verdict')
    const ended = { state: 'failed', error: BOOM, outcome: 'failed', finishedAt: END } as const
    await site.shows(id, { ...ended, ...free, attempts: 1, failures: 1, interruptions: 0 })
  },

  'a failure after an interruption counts the interruption': async (site) => {
    const { id } = await site.add()
    await site.settle({ ...fail(await site.claimOne()), counts: 'interruption' })
    await site.shows(id, { state: 'failed', failures: 0, interruptions: 1, outcome: 'interrupted' })
  },

  'a release gives the attempt back and leaves no trace in the history': async (site) => {
    const { id } = await site.add()
    const due = { runAt: END + MINUTE, delay: MINUTE }
    equal(await site.settle({ ...release(await site.claimOne()), ...due }, END), 'ok', 'the verdict')
    const counters = { attempts: 0, failures: 0, interruptions: 0, history: [] }
    await site.shows(id, { state: 'waiting', ...due, ...free, ...counters, error: null })
  },

  'a release gives back its own attempt only': async (site) => {
    const { id } = await site.add()
    await site.settle(retry(await site.claimOne()))
    await site.settle(release(await site.claimOne()))
    await site.shows(id, { attempts: 1, failures: 1 })
    equal((await site.claimOne()).attempts, 2, 'the attempts at the next claim')
  },

  'a cancelled attempt ends the job': async (site) => {
    const { id } = await site.add()
    equal(await site.settle(cancelled(await site.claimOne()), END), 'ok', 'the verdict')
    await site.shows(id, { state: 'cancelled', outcome: 'cancelled', finishedAt: END, session: null, failures: 0 })
  },

  'an unknown job is missing': async (site) => {
    await site.add()
    equal(await site.settle(complete({ id: 'nobody', fence: 1 })), 'missing', 'the verdict')
  },

  'a job that never ran cannot be settled': async (site) => {
    const before = await site.add()
    equal(await site.settle(complete({ id: before.id, fence: before.fence })), 'stale', 'the verdict')
    await site.shows(before.id, before)
  },

  'items are independent and answered in order': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }])
    const [one, two, three] = (await site.claim()).jobs.map(({ id, fence }) => ({ id, fence }))
    if (one === undefined || two === undefined || three === undefined) throw new Error('Three jobs were to be claimed')
    const stale = { ...two, fence: two.fence - 1 }
    const batch = [fail(one), complete(stale), complete({ id: 'nobody', fence: 1 }), complete(three)]
    const storage = await site.storage()
    const answers = await storage.settle({ batch, now: END })
    equal(verdictsOf(answers), ['ok', 'stale', 'missing', 'ok'], 'the verdicts')
    await site.shows('one', { state: 'failed' })
    await site.shows('two', { state: 'running' })
    await site.shows('three', { state: 'completed' })
  },

  'the first outcome stands when another follows': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne()
    await site.settle(complete(held, 'first'))
    equal(await site.settle(fail(held)), 'stale', 'the verdict of a failure')
    equal(await site.settle(retry(held)), 'stale', 'the verdict of a retry')
    equal(await site.settle(release(held)), 'stale', 'the verdict of a release')
    await site.shows(id, { state: 'completed', result: 'first', failures: 0, attempts: 1 })
  },

  'a completion after a release is stale': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne()
    await site.settle(release(held))
    equal(await site.settle(complete(held)), 'stale', 'the verdict')
    await site.shows(id, { state: 'waiting', result: null })
  },

  'of two concurrent outcomes of one attempt one counts': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne()
    const [left, right] = await site.handles.pair()
    const [[completion], [failure]] = await Promise.all([
      left.settle({ batch: [complete(held)], now: END }),
      right.settle({ batch: [fail(held)], now: END }),
    ])
    const verdicts = [completion?.verdict, failure?.verdict]
    equal([...verdicts].sort(), ['ok', 'stale'], 'the verdicts')
    await site.showsInTheEnd(id, { state: verdicts[0] === 'ok' ? 'completed' : 'failed' })
  },

  'an outcome that ends its job as it asks says no more': async (site) => {
    for (const settlement of Object.values(EVERY_KIND)) {
      const { id } = await site.add()
      const answer = await site.outcome(settlement(await site.claimOne()))
      equal(answer, { verdict: 'ok', became: null }, 'the answer')
      await site.amend({ kind: 'remove', id })
    }
  },

  'an outcome whose job became something else shows the job': async (site) => {
    for (const settlement of [retry, release, fail]) {
      const { id } = await site.add()
      const held = await site.claimOne()
      await site.amend({ kind: 'cancel', id, reason: 'enough' })
      const { verdict, became } = await site.outcome(settlement(held))
      equal([verdict, became?.state, became?.cancelRequested], ['ok', 'cancelled', 'enough'], 'the answer')
      await site.shows(id, became ?? {})
    }
  },

  'the retry of a job whose key was taken shows that it failed': async (site) => {
    await site.add({ id: 'old', jobKey: 'key' })
    const held = await site.claimOne()
    await site.add({ id: 'new', jobKey: 'key' })
    const { verdict, became } = await site.outcome(retry(held))
    equal([verdict, became?.state, became?.error?.code], ['ok', 'failed', 'HOLDFAST_SUPERSEDED'], 'the answer')
    equal(became?.error?.cause, BOOM, 'the cause')
  },

  'the history tells of each ended attempt': async (site) => {
    const { id } = await site.add()
    const first = await site.claimOne()
    await site.settle(retry(first), NOW + SECOND)
    const second = await site.claimOne({ now: NOW + MINUTE })
    await site.settle(complete(second), NOW + MINUTE + SECOND)
    const [one, two] = (await site.job(id)).history
    const failed = {
      attempt: 1,
      fence: first.fence,
      startedAt: NOW,
      endedAt: NOW + SECOND,
      outcome: 'failed',
      error: BOOM,
    }
    equal(one, failed, 'the first entry')
    const started = NOW + MINUTE
    const completed = {
      attempt: 2,
      fence: second.fence,
      startedAt: started,
      endedAt: started + SECOND,
      outcome: 'completed',
    }
    equal(two, completed, 'the second entry')
  },

  'the history keeps the latest ten attempts, oldest first': async (site) => {
    const { id } = await site.add()
    for (let attempt = 1; attempt <= 12; attempt += 1) await site.settle(retry(await site.claimOne()))
    const kept = (await site.job(id)).history.map(({ attempt }) => attempt)
    equal(kept, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 'the attempts in the history')
  },
})
