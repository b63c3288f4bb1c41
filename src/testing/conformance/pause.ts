import type { PauseScope } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { complete } from './settlements.ts'
import { ids, type Site } from './site.ts'

export const pause: readonly ConformanceCase[] = area('pause', {
  'a paused type is not claimed, others are': async (site) => {
    await site.addAll([
      { id: 'x', type: 'x' },
      { id: 'y', type: 'y' },
    ])
    await set(site, { type: 'x' }, true)
    equal(ids((await site.claim({ lanes: [{ type: 'x' }, { type: 'y' }] })).jobs), ['y'], 'the claimed jobs')
  },

  'a paused serial queue is not claimed, others are': async (site) => {
    await site.addAll([{ id: 'x', queueName: 'x' }, { id: 'y', queueName: 'y' }, { id: 'none' }])
    await set(site, { queueName: 'x' }, true)
    equal(ids((await site.claim()).jobs), ['y', 'none'], 'the claimed jobs')
  },

  'a paused queue is not claimed at all': async (site) => {
    await site.addAll([{ id: 'x', queueName: 'x' }, { id: 'none' }])
    await set(site, { all: true }, true)
    equal((await site.claim()).jobs, [], 'the claimed jobs')
  },

  'a pause holds for jobs enqueued later': async (site) => {
    await set(site, { type: 'task' }, true)
    const { id } = await site.add()
    equal((await site.claim()).jobs, [], 'the claimed jobs')
    await site.shows(id, { state: 'waiting' })
  },

  'a resumed type is claimed again': async (site) => {
    const { id } = await site.add()
    await set(site, { type: 'task' }, true)
    await set(site, { type: 'task' }, false)
    equal(ids((await site.claim()).jobs), [id], 'the claimed jobs')
  },

  'a resumed serial queue is claimed again': async (site) => {
    const { id } = await site.add({ queueName: 'queue' })
    await set(site, { queueName: 'queue' }, true)
    await set(site, { queueName: 'queue' }, false)
    equal(ids((await site.claim()).jobs), [id], 'the claimed jobs')
  },

  'a resumed queue is claimed again': async (site) => {
    const { id } = await site.add()
    await set(site, { all: true }, true)
    await set(site, { all: true }, false)
    equal(ids((await site.claim()).jobs), [id], 'the claimed jobs')
  },

  'pauses of all, of types and of serial queues are independent': async (site) => {
    await site.addAll([
      { id: 'x', type: 'x' },
      { id: 'y', type: 'y' },
      { id: 'q', type: 'y', queueName: 'x' },
    ])
    await set(site, { type: 'x' }, true)
    await set(site, { all: true }, true)
    await set(site, { all: true }, false)
    equal(ids((await site.claim({ lanes: [{ type: 'x' }, { type: 'y' }] })).jobs), ['y', 'q'], 'the claimed jobs')
  },

  'a claim at the same time as a pause comes before it, or takes nothing': async (site) => {
    await site.open('a')
    for (const turns of [0, 4, 8, 12, 16, 20]) {
      const id = `after ${turns} turns`
      await site.add({ id })
      const [left, right] = await site.handles.pair()
      const [[seen], answer] = await Promise.all([
        left.pause({ scope: { type: 'task' }, paused: true }).then(() => left.get([id])),
        later(turns).then(() => right.claim(site.claimRequest({ session: 'a' }))),
      ])
      // Whoever has paused and sees the job waiting may rely on it.
      equal(ids(answer.jobs), seen?.state === 'running' ? [id] : [], 'the claimed jobs')
      await left.pause({ scope: { type: 'task' }, paused: false })
      if (answer.jobs.length === 0) await site.claimOne({ session: 'a' })
    }
  },

  'running jobs go on': async (site) => {
    const { id } = await site.add()
    const held = await site.claimOne()
    await set(site, { all: true }, true)
    equal((await site.beat({ holds: [held] })).lost, [], 'the lost jobs')
    equal(await site.settle(complete(held)), 'ok', 'the verdict of the completion')
    await site.shows(id, { state: 'completed' })
  },

  'a paused job keeps nobody awake': async (site) => {
    await site.add()
    await set(site, { type: 'task' }, true)
    equal((await site.claim()).nextRunAt, null, 'nextRunAt')
  },

  'a pause and a resume tell whether they changed anything': async (site) => {
    const scope = { queueName: 'queue' }
    equal(await set(site, scope, false), false, 'the answer to a resume without a pause')
    equal([await set(site, scope, true), await set(site, scope, true)], [true, false], 'the answers to two pauses')
    equal([await set(site, scope, false), await set(site, scope, false)], [true, false], 'the answers to two resumes')
  },

  'the pauses are told': async (site) => {
    await tells(site, [])
    await set(site, { type: 'task' }, true)
    await tells(site, [{ type: 'task' }])
    await set(site, { queueName: 'task' }, true)
    await set(site, { all: true }, true)
    await tells(site, [{ all: true }, { queueName: 'task' }, { type: 'task' }])
    await set(site, { type: 'task' }, false)
    await tells(site, [{ all: true }, { queueName: 'task' }])
  },
})

async function set(site: Site, scope: PauseScope, paused: boolean): Promise<boolean> {
  const storage = await site.storage()
  return storage.pause({ scope, paused })
}

/** In any order. */
async function tells(site: Site, scopes: readonly PauseScope[]): Promise<void> {
  await site.settled(async (storage) => {
    const told = (await storage.pauses()).map((scope) => JSON.stringify(scope))
    equal(
      told.sort(),
      scopes.map((scope) => JSON.stringify(scope)),
      'the pauses',
    )
  })
}

/** In the middle of what others have begun. */
async function later(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
}
