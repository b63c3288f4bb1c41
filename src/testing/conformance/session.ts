import { equal, matches, ok, rejects } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW, SECOND } from './moments.ts'
import { complete } from './settlements.ts'
import { ids, type Site } from './site.ts'

export const session: readonly ConformanceCase[] = area('session', {
  'each session raises the epoch': async (site) => {
    const first = await site.open('a')
    const second = await site.open('b')
    ok(first >= 1, `an epoch from 1, got ${first}`)
    ok(second > first, `the second epoch to be above ${first}, got ${second}`)
  },

  'the epoch rises over sessions that were closed': async (site) => {
    const first = await site.open('a')
    await site.close('a')
    const second = await site.open('b')
    ok(second > first, `the second epoch to be above ${first}, got ${second}`)
  },

  'an open session is listed with its moments and its epoch': async (site) => {
    const epoch = await site.open('a', NOW + SECOND)
    await lists(site, ['a'])
    await site.settled(async (storage) => {
      const [record] = await storage.sessions()
      ok(record !== undefined, 'the session to be listed')
      matches(record, { id: 'a', openedAt: NOW + SECOND, lastBeat: NOW + SECOND, epoch }, 'the session')
    })
  },

  'each beat raises the number of beats and shows its moment': async (site) => {
    await site.open('a')
    const before = await beatsOf(site, 'a')
    await site.beat({ session: 'a', now: NOW + SECOND })
    await site.beat({ session: 'a', now: NOW + 2 * SECOND })
    equal(await beatsOf(site, 'a'), before + 2, 'the number of beats')
    await site.settled(async (storage) => {
      equal((await storage.sessions())[0]?.lastBeat, NOW + 2 * SECOND, 'the moment of the last beat')
    })
  },

  'a beat counts for its own session only': async (site) => {
    await site.open('a')
    const before = await beatsOf(site, 'a')
    await site.beat({ session: 'b' })
    equal(await beatsOf(site, 'a'), before, 'the number of beats of the other session')
  },

  'a closed session is not listed': async (site) => {
    await site.open('a')
    await site.open('b')
    await site.close('a')
    await lists(site, ['b'])
  },

  'the jobs of a closed session wait again and count as nothing': async (site) => {
    const { id } = await site.add()
    const { fence } = await site.claimOne({ session: 'a' })
    await site.close('a')
    const counters = { attempts: 0, failures: 0, interruptions: 0, history: [] }
    await site.shows(id, { state: 'waiting', session: null, delay: null, fence, ...counters })
  },

  'the jobs of a closed session can be claimed at once': async (site) => {
    const { id } = await site.add()
    await site.claimOne({ session: 'a', now: NOW + MINUTE })
    await site.close('a', NOW + MINUTE)
    equal(ids((await site.claim({ session: 'b' })).jobs), [id], 'the jobs of the next claim')
  },

  'closing a session leaves the jobs of others': async (site) => {
    await site.addAll([{ id: 'one' }, { id: 'two' }])
    await site.claimOne({ session: 'a', limit: 1 })
    await site.claimOne({ session: 'b', limit: 1 })
    await site.close('a')
    await site.shows('one', { state: 'waiting' })
    await site.shows('two', { state: 'running', session: 'b' })
  },

  'closing a session that was never opened resolves': async (site) => {
    await site.open('a')
    await site.close('nobody')
    await lists(site, ['a'])
  },

  'a claim of a closed session rejects and takes nothing': async (site) => {
    const { id } = await site.add()
    await site.open('a')
    await site.close('a')
    await rejects(site.claim({ session: 'a' }), 'HOLDFAST_SESSION_ENDED', 'the claim')
    await site.shows(id, { state: 'waiting', attempts: 0, fence: 0 })
  },

  'a claim that races the close of its session leaves no job behind': async (site) => {
    const { id } = await site.add()
    await site.open('a')
    const [left, right] = await site.handles.pair()
    const claim = right.claim(site.claimRequest({ session: 'a' })).catch(() => null)
    await Promise.all([claim, left.session({ close: 'a', now: NOW })])
    equal(ids((await site.claim({ session: 'b' })).jobs), [id], 'the jobs claimed next')
  },

  'a claim of a session that was never opened rejects': async (site) => {
    const { id } = await site.add()
    const storage = await site.storage()
    const claim = storage.claim(site.claimRequest({ session: 'nobody' }))
    await rejects(claim, 'HOLDFAST_SESSION_ENDED', 'the claim')
    await site.shows(id, { state: 'waiting', attempts: 0 })
  },

  'a beat of a closed session answers that it ended and lost all': async (site) => {
    await site.addAll([{}, {}])
    const { jobs } = await site.claim({ session: 'a' })
    await site.close('a')
    const answer = await site.beat({ session: 'a', holds: jobs })
    equal(answer.ended, true, '`ended`')
    equal([...answer.lost].sort(), [...ids(jobs)].sort(), 'the lost jobs')
    await lists(site, [])
  },

  'a completion after the close of its session is stale': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne({ session: 'a' })
    await site.close('a')
    equal(await site.settle(complete(held)), 'stale', 'the verdict')
    await site.shows(id, { state: 'waiting', finishedAt: null })
  },

  'a guarded close leaves a session that has beaten since': async (site) => {
    await site.open('a')
    const beats = await beatsOf(site, 'a')
    await site.beat({ session: 'a' })
    const storage = await site.storage()
    await storage.session({ close: 'a', now: NOW, when: { beats } })
    await lists(site, ['a'])
  },

  'a guarded close leaves a session that holds a job': async (site) => {
    const { id } = await site.add()
    await site.claimOne({ session: 'a' })
    const beats = await beatsOf(site, 'a')
    const storage = await site.storage()
    await storage.session({ close: 'a', now: NOW, when: { beats } })
    await lists(site, ['a'])
    await site.shows(id, { state: 'running', session: 'a' })
  },

  'each session is listed with its own lease, also after it has beaten': async (site) => {
    await site.open('long', NOW, 10 * MINUTE)
    await site.open('short', NOW, SECOND)
    await site.beat({ session: 'long' })
    await site.settled(async (storage) => {
      const leases = (await storage.sessions()).map(({ id, leaseDuration }) => `${id} ${leaseDuration}`)
      equal(leases.sort(), [`long ${10 * MINUTE}`, `short ${SECOND}`], 'the sessions with their leases')
    })
  },

  'a session tells from its opening on how patient others are to be with it': async (site) => {
    const storage = await site.storage()
    await storage.session({ open: 'a', leaseDuration: SECOND, now: NOW, patience: MINUTE })
    await site.open('b')
    await patienceIs(site, { a: MINUTE, b: 0 })
  },

  'the patience that a session asks for is that of its latest beat': async (site) => {
    await site.open('a')
    await site.open('b')
    await site.beat({ session: 'a', patience: MINUTE })
    await patienceIs(site, { a: MINUTE, b: 0 })
    await site.beat({ session: 'a', patience: 2 * MINUTE })
    await site.beat({ session: 'b' })
    await patienceIs(site, { a: 2 * MINUTE, b: 0 })
    await site.beat({ session: 'a' })
    await patienceIs(site, { a: 0, b: 0 })
  },

  'a guarded close ends a silent session that holds nothing': async (site) => {
    await site.open('a')
    const beats = await beatsOf(site, 'a')
    const storage = await site.storage()
    await storage.session({ close: 'a', now: NOW, when: { beats } })
    await lists(site, [])
  },
})

async function lists(site: Site, names: readonly string[]): Promise<void> {
  await site.settled(async (storage) => equal([...ids(await storage.sessions())].sort(), names, 'the open sessions'))
}

async function patienceIs(site: Site, expected: Readonly<Record<string, number>>): Promise<void> {
  await site.settled(async (storage) => {
    const shown = (await storage.sessions()).map(({ id, patience }) => [id, patience] as const)
    equal(Object.fromEntries(shown.sort()), expected, 'how patient others are to be')
  })
}

/** As the handle of the latest write shows it. */
export async function beatsOf(site: Site, name: string): Promise<number> {
  const storage = await site.handles.latest()
  const record = (await storage.sessions()).find(({ id }) => id === name)
  ok(record !== undefined, `the session ${name} to be listed`)
  return record.beats
}
