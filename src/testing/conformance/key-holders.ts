import { equal } from './expect.ts'
import { call } from './keys.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE } from './moments.ts'
import { BOOM, cancelled, complete, fail, interrupt, release, retry } from './settlements.ts'

/** The modes that take a key from a job that runs or has failed. */
const TAKING = ['replace', 'preserveRunAt'] as const

/** Who holds a job key, for how long, and what becomes of a running or failed holder that loses it. */
export const keyHolders: readonly ConformanceCase[] = area('key-holders', {
  'a running holder loses its key to a new job': async (site) => {
    for (const jobKeyMode of TAKING) {
      const [id, next] = [`one ${jobKeyMode}`, `two ${jobKeyMode}`]
      await call(site, { id, jobKey: jobKeyMode, payload: [1] })
      await site.claimOne()
      const due = delayed(MINUTE)
      const answer = await call(site, { id: next, jobKey: jobKeyMode, jobKeyMode, payload: [2], ...due })
      equal([answer.id, answer.disposition], [next, 'created'], 'the answer')
      await site.shows(id, { state: 'running', jobKey: null, superseded: true, payload: [1] })
      await site.shows(next, { state: 'waiting', jobKey: jobKeyMode, superseded: false, payload: [2], ...due })
    }
  },

  'a superseded job that throws is not retried': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    const held = await site.claimOne()
    await call(site, { id: 'two', jobKey: 'key' })
    equal(await site.settle(retry(held)), 'ok', 'the verdict')
    await site.shows('one', { state: 'failed', failures: 1, outcome: 'failed' })
  },

  'a superseded job that is given back is not run again': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    const held = await site.claimOne()
    await call(site, { id: 'two', jobKey: 'key' })
    equal(await site.settle(release(held)), 'ok', 'the verdict')
    await site.shows('one', { state: 'failed', outcome: 'released' })
  },

  'a superseded job that is interrupted is not retried': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    const held = await site.claimOne()
    await call(site, { id: 'two', jobKey: 'key' })
    equal(await site.settle(interrupt(held)), 'ok', 'the verdict')
    await site.shows('one', { state: 'failed', interruptions: 1, outcome: 'interrupted' })
  },

  'a superseded job may complete, and leaves the key to the new holder': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    const held = await site.claimOne()
    await call(site, { id: 'two', jobKey: 'key' })
    equal(await site.settle(complete(held)), 'ok', 'the verdict')
    await site.shows('one', { state: 'completed' })
    const answer = await call(site, { jobKey: 'key' })
    equal([answer.id, answer.disposition], ['two', 'replaced'], 'the answer of the next call')
  },

  'unsafeDedupe keeps a running holder': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    const { absorbed: _, ...before } = await site.claimOne()
    const answer = await call(site, { jobKey: 'key', jobKeyMode: 'unsafeDedupe', payload: 'other' })
    equal([answer.id, answer.disposition], ['one', 'kept'], 'the answer')
    await site.shows('one', { ...before, state: 'running', revision: before.revision + 1 })
  },

  'unsafeDedupe keeps a failed holder': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.settle(fail(await site.claimOne()))
    const { absorbed: _, ...before } = await site.job('one')
    const answer = await call(site, { jobKey: 'key', jobKeyMode: 'unsafeDedupe', payload: 'other' })
    equal([answer.id, answer.disposition], ['one', 'kept'], 'the answer')
    await site.shows('one', { ...before, state: 'failed', revision: before.revision + 1 })
  },

  'a failed holder loses its key to a new job': async (site) => {
    for (const jobKeyMode of TAKING) {
      const [id, next] = [`one ${jobKeyMode}`, `two ${jobKeyMode}`]
      await call(site, { id, jobKey: jobKeyMode, payload: [1] })
      await site.settle(fail(await site.claimOne()))
      const answer = await call(site, { id: next, jobKey: jobKeyMode, jobKeyMode, payload: [2], ...delayed(MINUTE) })
      equal([answer.id, answer.disposition], [next, 'created'], 'the answer')
      await site.shows(id, { state: 'failed', jobKey: null, payload: [1] })
      await site.shows(next, { state: 'waiting', jobKey: jobKeyMode, payload: [2] })
    }
  },

  'a job keeps its key while it waits for a retry': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.settle(retry(await site.claimOne()))
    const answer = await call(site, { jobKey: 'key' })
    equal([answer.id, answer.disposition], ['one', 'replaced'], 'the answer')
  },

  'completion frees the key': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.settle(complete(await site.claimOne()))
    const answer = await call(site, { id: 'two', jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    equal([answer.id, answer.disposition], ['two', 'created'], 'the answer')
    await site.shows('one', { state: 'completed' })
  },

  'cancellation of a waiting job frees the key': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.amend({ kind: 'cancel', id: 'one', reason: 'asked' })
    const answer = await call(site, { id: 'two', jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    equal([answer.id, answer.disposition], ['two', 'created'], 'the answer')
    await site.shows('one', { state: 'cancelled' })
  },

  'cancellation of a running job frees the key when it ends': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    const held = await site.claimOne()
    await site.amend({ kind: 'cancel', id: 'one', reason: 'asked' })
    await site.settle(cancelled(held))
    const answer = await call(site, { id: 'two', jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    equal([answer.id, answer.disposition], ['two', 'created'], 'the answer')
  },

  'a job failed by hand keeps its key': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.amend({ kind: 'fail', id: 'one', error: { name: 'Error', message: 'by hand' } })
    const answer = await call(site, { jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    equal([answer.id, answer.disposition], ['one', 'kept'], 'the answer')
  },

  'a job completed by hand frees its key': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.amend({ kind: 'complete', id: 'one', result: null })
    const answer = await call(site, { id: 'two', jobKey: 'key', jobKeyMode: 'unsafeDedupe' })
    equal([answer.id, answer.disposition], ['two', 'created'], 'the answer')
  },

  'a cancelled job that is failed by hand has its key again, unless another has it': async (site) => {
    for (const by of [null, 'two']) {
      const [id, jobKey] = [`one, then ${by}`, `key of ${by}`]
      await call(site, { id, jobKey })
      await site.amend({ kind: 'cancel', id, reason: 'asked' })
      if (by !== null) await call(site, { id: by, jobKey })
      await site.amend({ kind: 'fail', id, error: BOOM })
      await site.shows(id, { state: 'failed', jobKey: by === null ? jobKey : null })
      const answer = await call(site, { jobKey, jobKeyMode: 'unsafeDedupe' })
      equal([answer.id, answer.disposition], [by ?? id, 'kept'], 'the answer')
    }
  },

  'a cancelled job that was failed and is requeued has its key again': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.amend({ kind: 'cancel', id: 'one', reason: 'asked' })
    await site.amend({ kind: 'fail', id: 'one', error: { name: 'Error', message: 'by hand' } })
    await site.amend({ kind: 'requeue', id: 'one', runAt: 0, delay: null })
    const answer = await call(site, { id: 'two', jobKey: 'key', payload: 'new' })
    equal([answer.id, answer.disposition], ['one', 'replaced'], 'the answer')
  },

  'a requeued job does not share its old key with a newer holder': async (site) => {
    await call(site, { id: 'one', jobKey: 'key' })
    await site.amend({ kind: 'cancel', id: 'one', reason: 'asked' })
    await call(site, { id: 'two', jobKey: 'key' })
    await site.amend({ kind: 'requeue', id: 'one', runAt: 0, delay: null })
    const answer = await call(site, { jobKey: 'key', payload: 'new' })
    equal([answer.id, answer.disposition], ['two', 'replaced'], 'the answer')
    await site.shows('one', { state: 'waiting', jobKey: null })
  },
})
