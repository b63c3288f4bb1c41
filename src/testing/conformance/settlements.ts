import type { ErrorData, LeaseRef, Payload, SettleAnswer, Settlement, Verdict } from '../../core/storage/contract.ts'
import { NOW } from './moments.ts'

export type SettlementOf<Kind extends Settlement['kind']> = Extract<Settlement, { readonly kind: Kind }>

export const BOOM: ErrorData = { name: 'Error', message: 'boom', code: 'E_BOOM' }

export function complete(lease: LeaseRef, result: Payload = null): SettlementOf<'complete'> {
  return { id: lease.id, fence: lease.fence, kind: 'complete', result }
}

/** The handler threw; the job is due again at once. */
export function retry(lease: LeaseRef): SettlementOf<'retry'> {
  return { id: lease.id, fence: lease.fence, kind: 'retry', runAt: NOW, delay: 0, error: BOOM, counts: 'failure' }
}

export function fail(lease: LeaseRef): SettlementOf<'fail'> {
  return { id: lease.id, fence: lease.fence, kind: 'fail', error: BOOM, counts: 'failure' }
}

export function release(lease: LeaseRef): SettlementOf<'release'> {
  return { id: lease.id, fence: lease.fence, kind: 'release', runAt: NOW, delay: null }
}

export function cancelled(lease: LeaseRef): SettlementOf<'cancelled'> {
  return { id: lease.id, fence: lease.fence, kind: 'cancelled', reason: 'asked' }
}

/** What the reaper writes; the job is due again at once. */
export function interrupt(
  lease: LeaseRef,
  when: NonNullable<Settlement['when']> = { ended: true },
): SettlementOf<'retry'> {
  return { ...retry(lease), counts: 'interruption', error: { name: 'Error', message: 'worker died' }, when }
}

export function verdictsOf(answers: readonly SettleAnswer[]): readonly Verdict[] {
  return answers.map(({ verdict }) => verdict)
}

/** Every way an attempt can end by its own write. */
export const EVERY_KIND: Readonly<Record<Settlement['kind'], (lease: LeaseRef) => Settlement>> = {
  complete,
  retry,
  fail,
  release,
  cancelled,
}
