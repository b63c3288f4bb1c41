import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW, SECOND } from './moments.ts'
import { beatsOf } from './session.ts'
import { complete, fail, interrupt } from './settlements.ts'
import { ids } from './site.ts'

/** Settles by somebody else than the attempt, and what the reaper looks at. */
export const reaper: readonly ConformanceCase[] = area('reaper', {
  'a job of a session that shows the same beats is taken back': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    const beats = await beatsOf(site, 'a')
    equal(await site.settle(interrupt(held, { beats }), NOW + SECOND), 'ok', 'the verdict')
    const counters = { attempts: 1, failures: 0, interruptions: 1 }
    await site.shows(id, { state: 'waiting', session: null, outcome: 'interrupted', ...counters })
  },

  'a beat in between saves the job': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    const beats = await beatsOf(site, 'a')
    await site.beat({ session: 'a', holds: [held] })
    equal(await site.settle(interrupt(held, { beats })), 'stale', 'the verdict')
    await site.shows(id, { state: 'running', session: 'a', interruptions: 0 })
  },

  'a beat and the reaper at the same time agree on who holds the job': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    const beats = await beatsOf(site, 'a')
    await site.open('reaper')
    const [left, right] = await site.handles.pair()
    const [answer, [reaped]] = await Promise.all([
      left.beat({ session: 'a', now: NOW, holds: [held], claiming: [], progress: [] }),
      right.settle({ batch: [interrupt(held, { beats })], now: NOW }),
    ])
    // A beat that came first saves the job; one that came second finds it lost.
    equal(
      [reaped?.verdict, answer.lost],
      answer.lost.length === 0 ? ['stale', []] : ['ok', [id]],
      'the verdict and the lost jobs',
    )
    await site.showsInTheEnd(id, { state: reaped?.verdict === 'ok' ? 'waiting' : 'running' })
  },

  'a completion in between wins': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    const beats = await beatsOf(site, 'a')
    await site.settle(complete(held))
    equal(await site.settle(interrupt(held, { beats })), 'stale', 'the verdict')
    await site.shows(id, { state: 'completed', interruptions: 0 })
  },

  'the guard looks at the session that holds the job, not at another': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    for (let beat = 0; beat < 3; beat += 1) await site.beat({ session: 'reaper' })
    const own = await beatsOf(site, 'reaper')
    equal(await site.settle(interrupt(held, { beats: own })), 'stale', 'the verdict by its own beats')
    const beats = await beatsOf(site, 'a')
    equal(await site.settle(interrupt(held, { beats })), 'ok', "the verdict by the holder's beats")
    await site.shows(id, { state: 'waiting' })
  },

  'a job of a session that is proven ended is taken back whatever it has beaten': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    await site.beat({ session: 'a', holds: [held] })
    equal(await site.settle(interrupt(held, { ended: true })), 'ok', 'the verdict')
    await site.shows(id, { state: 'waiting', interruptions: 1 })
  },

  'a job interrupted too often can be ended': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    const beats = await beatsOf(site, 'a')
    const last = { ...fail(held), counts: 'interruption', when: { beats } } as const
    equal(await site.settle(last, NOW + SECOND), 'ok', 'the verdict')
    await site.shows(id, { state: 'failed', interruptions: 1, outcome: 'interrupted', finishedAt: NOW + SECOND })
  },

  'the attempt that was taken back finds its completion stale': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    await site.settle(interrupt(held))
    equal(await site.settle(complete(held, 'late')), 'stale', 'the verdict')
    await site.shows(id, { state: 'waiting', result: null })
  },

  'two reapers count one interruption': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    const beats = await beatsOf(site, 'a')
    await site.open('reaper')
    await site.open('other reaper')
    const [left, right] = await site.handles.pair()
    const batch = [interrupt(held, { beats })]
    await Promise.all([left.settle({ batch, now: NOW }), right.settle({ batch, now: NOW })])
    await site.shows(id, { state: 'waiting', interruptions: 1 })
    equal((await site.job(id)).history.length, 1, 'the length of the history')
  },

  'an interruption is told in the history': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    await site.settle(interrupt(held), NOW + SECOND)
    const { error } = interrupt(held)
    const entry = {
      attempt: 1,
      fence: held.fence,
      startedAt: NOW,
      endedAt: NOW + SECOND,
      outcome: 'interrupted',
      error,
    }
    equal((await site.job(id)).history, [entry], 'the history')
  },

  'running tells the running jobs of one session': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'waits' }])
    const held = await site.claimOne({ session: 'a', limit: 1 })
    await site.claimOne({ session: 'b', limit: 1 })
    await site.settled(async (storage) => {
      equal(await storage.running({ session: 'a', types: ['task'], limit: 10 }), [held], 'the running jobs of a')
    })
  },

  'running keeps to the types and the limit': async (site) => {
    await site.addAll([{ type: 'x' }, { type: 'x' }, { type: 'y', id: 'y' }])
    await site.claim({ session: 'a', lanes: [{ type: 'x' }, { type: 'y' }] })
    await site.settled(async (storage) => {
      const ofY = await storage.running({ session: 'a', types: ['y'], limit: 10 })
      equal(ids(ofY), ['y'], 'the running jobs of the type y')
      const some = await storage.running({ session: 'a', types: ['x', 'y'], limit: 2 })
      equal(some.length, 2, 'the number of running jobs with limit 2')
    })
  },

  'a settled job is not told as running': async (site) => {
    await site.add()
    await site.settle(complete(await site.claimOne({ session: 'a' })))
    await site.settled(async (storage) => {
      equal(await storage.running({ session: 'a', types: ['task'], limit: 10 }), [], 'the running jobs')
    })
  },
})
