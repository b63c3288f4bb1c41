import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE } from './moments.ts'
import { complete, fail, interrupt, release, retry } from './settlements.ts'
import { ids } from './site.ts'

/** Jobs enqueued by an outcome: `settle` with `enqueue`. */
export const chain: readonly ConformanceCase[] = area('chain', {
  'jobs enqueued by a completion are stored with it': async (site) => {
    await site.add({ id: 'parent' })
    const enqueue = [site.newJob({ id: 'first', payload: { n: 1 } }), site.newJob({ id: 'second' })]
    equal(await site.settle({ ...complete(await site.claimOne()), enqueue }), 'ok', 'the verdict')
    await site.shows('parent', { state: 'completed' })
    await site.shows('first', { state: 'waiting', payload: { n: 1 } })
    equal(ids((await site.claim()).jobs), ['first', 'second'], 'the jobs claimed next')
  },

  'jobs enqueued by a failure are stored with it': async (site) => {
    await site.add({ id: 'parent' })
    await site.settle({ ...fail(await site.claimOne()), enqueue: [site.newJob({ id: 'child' })] })
    await site.shows('parent', { state: 'failed' })
    await site.shows('child', { state: 'waiting' })
  },

  'jobs of an outcome are stored only if it ends its job': async (site) => {
    await site.add({ id: 'parent' })
    for (const [child, outcome] of Object.entries({ retry, release })) {
      const enqueue = [site.newJob({ id: child })]
      equal(await site.settle({ ...outcome(await site.claimOne()), enqueue }), 'ok', `the verdict of a ${child}`)
      await site.gone(child)
    }
    const held = await site.claimOne()
    await site.amend({ kind: 'cancel', id: 'parent', reason: 'asked' })
    await site.settle({ ...fail(held), enqueue: [site.newJob({ id: 'child' })] })
    await site.shows('parent', { state: 'cancelled' })
    await site.gone('child')
  },

  'jobs that a retry brings are stored when its job has lost its key, and so fails': async (site) => {
    for (const [name, outcome] of Object.entries({ retry, release, interrupt })) {
      await site.add({ id: `${name} parent`, jobKey: name })
      const held = await site.claimOne()
      await site.add({ id: `${name} holder`, jobKey: name, ...delayed(MINUTE) })
      await site.settle({ ...outcome(held), enqueue: [site.newJob({ id: `${name} child`, ...delayed(MINUTE) })] })
      await site.shows(held.id, { state: 'failed', superseded: true })
      await site.shows(`${name} child`, { state: 'waiting' })
    }
  },

  'a chained job whose id says something else fails the outcome and stores nothing': async (site) => {
    await site.add({ id: 'parent' })
    const held = await site.claimOne()
    await site.add({ id: 'taken', payload: { n: 1 } })
    const enqueue = [site.newJob({ id: 'child' }), site.newJob({ id: 'taken', payload: { n: 2 } })]
    const { verdict, became } = await site.outcome({ ...complete(held), enqueue })
    equal([verdict, became?.state, became?.error?.code], ['ok', 'failed', 'HOLDFAST_ID_CONFLICT'], 'the answer')
    await site.shows('parent', { state: 'failed', failures: 1 })
    await site.shows('taken', { payload: { n: 1 } })
    await site.gone('child')
  },

  'a chained job whose id was folded with another payload fails the outcome too': async (site) => {
    await site.add({ id: 'parent' })
    const held = await site.claimOne()
    await site.addAll([
      { id: 'holder', jobKey: 'key', payload: 1 },
      { id: 'folded', jobKey: 'key', payload: 2 },
    ])
    const { became } = await site.outcome({ ...complete(held), enqueue: [site.newJob({ id: 'folded', payload: 3 })] })
    equal(became?.error?.code, 'HOLDFAST_ID_CONFLICT', 'the error of the outcome')
    await site.shows('holder', { payload: 2 })
  },

  'jobs enqueued by a stale outcome are not stored': async (site) => {
    await site.add({ id: 'parent' })
    const held = await site.claimOne({ session: 'a' })
    await site.settle(interrupt(held))
    equal(await site.settle({ ...complete(held), enqueue: [site.newJob({ id: 'child' })] }), 'stale', 'the verdict')
    await site.gone('child')
  },

  'jobs enqueued by the outcome of an unknown job are not stored': async (site) => {
    const enqueue = [site.newJob({ id: 'child' })]
    equal(await site.settle({ ...complete({ id: 'nobody', fence: 1 }), enqueue }), 'missing', 'the verdict')
    await site.gone('child')
  },

  'a second outcome of the same attempt stores no jobs': async (site) => {
    await site.add({ id: 'parent' })
    const held = await site.claimOne()
    await site.settle(complete(held))
    equal(await site.settle({ ...retry(held), enqueue: [site.newJob({ id: 'child' })] }), 'stale', 'the verdict')
    await site.gone('child')
  },

  'a job enqueued by an outcome goes by its key': async (site) => {
    await site.add({ id: 'holder', jobKey: 'key', payload: 1, type: 'other' })
    await site.add({ id: 'parent' })
    const enqueue = [site.newJob({ id: 'child', jobKey: 'key', payload: 2, type: 'other' })]
    await site.settle({ ...complete(await site.claimOne()), enqueue })
    await site.shows('holder', { payload: 2, state: 'waiting' })
    await site.gone('child')
  },

  'a job that enqueues its successor under its own key completes and passes the key on': async (site) => {
    await site.add({ id: 'parent', jobKey: 'key' })
    const enqueue = [site.newJob({ id: 'child', jobKey: 'key' })]
    equal(await site.settle({ ...complete(await site.claimOne()), enqueue }), 'ok', 'the verdict')
    await site.shows('parent', { state: 'completed' })
    await site.shows('child', { state: 'waiting', jobKey: 'key' })
  },

  'a job enqueued in the serial queue of its parent waits behind those that wait there': async (site) => {
    const queue = { queueName: 'queue' }
    await site.addAll([
      { id: 'parent', ...queue },
      { id: 'sibling', ...queue },
    ])
    const enqueue = [site.newJob({ id: 'child', ...queue })]
    await site.settle({ ...complete(await site.claimOne()), enqueue })
    equal(ids((await site.claim()).jobs), ['sibling'], 'the claimed jobs')
  },

  'a job enqueued in the serial queue of its parent may start': async (site) => {
    await site.add({ id: 'parent', queueName: 'queue' })
    const enqueue = [site.newJob({ id: 'child', queueName: 'queue' })]
    await site.settle({ ...complete(await site.claimOne()), enqueue })
    equal(ids((await site.claim()).jobs), ['child'], 'the claimed jobs')
  },
})
