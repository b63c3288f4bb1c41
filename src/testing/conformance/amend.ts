import type { Amendment, JobStatus } from '../../core/storage/contract.ts'
import { equal, matches } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { delayed, MINUTE, NOW, SECOND } from './moments.ts'
import { oneOfEach } from './population.ts'
import { BOOM, complete, fail, retry } from './settlements.ts'
import { ids, only } from './site.ts'

const FRESH = { attempts: 0, failures: 0, interruptions: 0, error: null, finishedAt: null }

/** The states that each kind must not touch. */
const IGNORES: Readonly<Partial<Record<Amendment['kind'], readonly JobStatus[]>>> = {
  cancel: ['completed', 'failed', 'cancelled'],
  requeue: ['running', 'completed'],
  reschedule: ['running', 'completed', 'failed', 'cancelled'],
  complete: ['running', 'completed'],
  fail: ['running', 'completed', 'failed'],
  remove: ['running'],
}

/** What administration does to a job. `cancel.ts` has cancelling, `removal.ts` what makes jobs and sessions go. */
export const amend: readonly ConformanceCase[] = [
  ...area('amend', {
    'a failed job that is requeued starts anew': async (site) => {
      const { id } = await site.add()
      await site.settle(fail(await site.claimOne()))
      const { fence, history } = await site.job(id)
      const answer = await site.amend({ kind: 'requeue', id, runAt: NOW, delay: null })
      equal(answer.verdict, 'ok', 'the verdict')
      await site.shows(id, { state: 'waiting', ...FRESH, fence, history })
      equal(ids((await site.claim()).jobs), [id], 'the claimed jobs')
    },

    'a cancelled job that is requeued starts anew': async (site) => {
      const { id } = await site.add()
      await site.amend({ kind: 'cancel', id, reason: 'asked' })
      equal((await site.amend({ kind: 'requeue', id, runAt: NOW, delay: null })).verdict, 'ok', 'the verdict')
      await site.shows(id, { state: 'waiting', ...FRESH, cancelRequested: null })
      equal(ids((await site.claim()).jobs), [id], 'the claimed jobs')
    },

    'a waiting job that is requeued gets the new moment and no counts': async (site) => {
      const { id } = await site.add()
      await site.settle(retry(await site.claimOne()))
      const due = delayed(MINUTE)
      equal((await site.amend({ kind: 'requeue', id, ...due })).verdict, 'ok', 'the verdict')
      await site.shows(id, { state: 'waiting', ...due, attempts: 0, failures: 0, interruptions: 0 })
      equal((await site.claim()).jobs, [], 'the jobs claimed before the moment')
    },

    'rescheduling to a later moment holds an immediate job back': async (site) => {
      const { id } = await site.add()
      equal((await site.amend({ kind: 'reschedule', id, runAt: NOW + MINUTE })).verdict, 'ok', 'the verdict')
      await site.shows(id, { runAt: NOW + MINUTE })
      equal((await site.claim({ now: NOW + MINUTE - 1 })).jobs, [], 'the jobs claimed before the moment')
      equal(ids((await site.claim({ now: NOW + MINUTE })).jobs), [id], 'the jobs claimed at the moment')
    },

    'rescheduling to an earlier moment brings a delayed job forward': async (site) => {
      const { id } = await site.add(delayed(5 * MINUTE))
      await site.amend({ kind: 'reschedule', id, runAt: NOW + SECOND })
      equal(ids((await site.claim({ now: NOW + SECOND })).jobs), [id], 'the claimed jobs')
    },

    'rescheduling to a later moment outlasts the first delay': async (site) => {
      const { id } = await site.add(delayed(SECOND))
      await site.amend({ kind: 'reschedule', id, runAt: NOW + MINUTE })
      equal((await site.claim({ now: NOW + MINUTE - 1 })).jobs, [], 'the jobs claimed before the moment')
    },

    'a new priority changes the order': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }])
      await site.amend({ kind: 'reschedule', id: 'three', priority: 5 })
      await site.amend({ kind: 'reschedule', id: 'one', priority: -5 })
      equal(ids((await site.claim()).jobs), ['three', 'two', 'one'], 'the claimed jobs in order')
    },

    'rescheduling leaves what is omitted': async (site) => {
      const before = await site.add({ priority: 2, maxRetries: 5, ...delayed(MINUTE) })
      await site.amend({ kind: 'reschedule', id: before.id, maxRetries: 9 })
      await site.shows(before.id, { ...before, maxRetries: 9 })
    },

    'a waiting job is completed by hand': async (site) => {
      const { id } = await site.add()
      equal((await site.amend({ kind: 'complete', id, result: 5 }, NOW + SECOND)).verdict, 'ok', 'the verdict')
      await site.shows(id, { state: 'completed', result: 5, finishedAt: NOW + SECOND })
      equal((await site.claim()).jobs, [], 'the claimed jobs')
    },

    'a failed job is completed by hand': async (site) => {
      const { id } = await site.add()
      await site.settle(fail(await site.claimOne()))
      equal((await site.amend({ kind: 'complete', id, result: 5 })).verdict, 'ok', 'the verdict')
      await site.shows(id, { state: 'completed', result: 5, error: null })
    },

    'a waiting job is failed by hand': async (site) => {
      const { id } = await site.add()
      equal((await site.amend({ kind: 'fail', id, error: BOOM }, NOW + SECOND)).verdict, 'ok', 'the verdict')
      await site.shows(id, { state: 'failed', error: BOOM, finishedAt: NOW + SECOND })
      equal((await site.claim()).jobs, [], 'the claimed jobs')
    },

    'a cancelled job that is completed or failed by hand does not say why it was cancelled': async (site) => {
      for (const [state, amendment] of [
        ['completed', { kind: 'complete', result: null }],
        ['failed', { kind: 'fail', error: BOOM }],
      ] as const) {
        const { id } = await site.add()
        await site.amend({ kind: 'cancel', id, reason: 'asked' })
        await site.amend({ ...amendment, id })
        await site.shows(id, { state, cancelRequested: null })
      }
    },

    'an unknown job is missing for every kind': async (site) => {
      const id = 'nobody'
      const due = { runAt: NOW, delay: null }
      for (const amendment of everyKind(id, due)) {
        equal(await site.amend(amendment), { verdict: 'missing', jobs: [] }, `the answer to ${amendment.kind}`)
      }
    },

    'items are independent and answered in order': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }])
      await site.settle(complete(await site.claimOne({ limit: 1 })))
      const storage = await site.storage()
      const batch: Amendment[] = [
        { kind: 'cancel', id: 'nobody', reason: 'asked' },
        { kind: 'cancel', id: 'one', reason: 'asked' },
        { kind: 'cancel', id: 'two', reason: 'asked' },
        { kind: 'remove', id: 'two' },
      ]
      const verdicts = (await storage.amend({ batch, now: NOW })).map(({ verdict }) => verdict)
      equal(verdicts, ['missing', 'ignored', 'ok', 'ok'], 'the verdicts')
      await site.gone('two')
    },

    'the answer holds the job as it is afterwards': async (site) => {
      const { id } = await site.add()
      const answer = await site.amend({ kind: 'reschedule', id, priority: 3 })
      const job = only(answer.jobs, 'the job')
      matches(job, { id, priority: 3 }, 'the answer')
      equal(job, await site.job(id), 'the record in the answer')
    },
  }),

  ...Object.entries(IGNORES).flatMap(([kind, statuses]) =>
    area('amend', {
      [`the kind '${kind}' ignores a job that is ${statuses.join(' or ')}`]: async (site) => {
        await oneOfEach(site)
        for (const id of statuses) {
          const before = await site.job(id)
          const amendment = everyKind(id, { runAt: NOW + SECOND, delay: SECOND }).find((one) => one.kind === kind)
          if (amendment === undefined) throw new Error(`There is no kind ${kind}`)
          equal((await site.amend(amendment)).verdict, 'ignored', `the verdict for a job that is ${id}`)
          await site.shows(id, before)
        }
      },
    }),
  ),
]

function everyKind(id: string, due: { readonly runAt: number; readonly delay: number | null }): readonly Amendment[] {
  return [
    { kind: 'cancel', id, reason: 'asked' },
    { kind: 'requeue', id, ...due },
    { kind: 'reschedule', id, priority: 9, runAt: due.runAt },
    { kind: 'complete', id, result: 'by hand' },
    { kind: 'fail', id, error: BOOM },
    { kind: 'remove', id },
  ]
}
