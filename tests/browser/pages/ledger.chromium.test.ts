// No browser is needed for these; here they run once.
import { expect, test } from 'vitest'
import { SeededRandom } from '../../../torture/seeded-random.mjs'
import type { Finding } from './errands.ts'
import { Ledger, type Order, type Report } from './ledger.ts'
import { NOTHING_BROKEN } from './proof.ts'

function newLedger(): { ledger: Ledger; tell: (report: Report, context?: string) => string } {
  const ledger = new Ledger(1, new SeededRandom(1), () => 1)
  return { ledger, tell: (report, context = 'tab') => ledger.take(JSON.stringify({ ...report, context })) }
}

/** A job that was ordered, acknowledged, started and accepted as it should be. */
function whole(): { ledger: Ledger; tell: (report: Report, context?: string) => string; found: Finding } {
  const { ledger, tell } = newLedger()
  const [{ id } = { id: '' }] = JSON.parse(tell({ what: 'asked' })) as Order[]
  tell({ what: 'acknowledged', ids: [id] })
  tell({ what: 'started', id, fence: 7 })
  tell({ what: 'accepted', id, fence: 7 })
  return { ledger, tell, found: { id, status: 'completed', fence: 7 } }
}

test('a run in which all went well breaks no rule', () => {
  const { ledger, found } = whole()
  expect(ledger.check([found])).toEqual(NOTHING_BROKEN)
})

test('an acknowledged job that is not there is lost, and one that waits still is not completed', () => {
  const { ledger, found } = whole()
  expect(ledger.check([])).toMatchObject({ lost: [found.id] })
  expect(ledger.check([{ ...found, status: 'pending' }])).toMatchObject({ notCompleted: [`${found.id} is pending`] })
})

test('a job that is completed and never ran, or only under another fence, is found', () => {
  const { ledger, tell } = newLedger()
  const [{ id } = { id: '' }] = JSON.parse(tell({ what: 'asked' })) as Order[]
  tell({ what: 'acknowledged', ids: [id] })
  const found = { id, status: 'completed', fence: 7 }
  expect(ledger.check([found]).neverRan).toEqual([`${id} under 7`])
  tell({ what: 'started', id, fence: 6 })
  expect(ledger.check([found]).neverRan).toEqual([`${id} under 7`])
  tell({ what: 'started', id, fence: 7 })
  expect(ledger.check([found]).neverRan).toEqual([])
})

test('an outcome is accepted twice when two tabs were told so, or the database holds another', () => {
  const { ledger, tell, found } = whole()
  expect(ledger.check([{ ...found, fence: 8 }]).acceptedTwice).toHaveLength(1)
  tell({ what: 'accepted', id: found.id, fence: 7 }, 'other tab')
  expect(ledger.check([found]).acceptedTwice).toHaveLength(1)
})

test('no start may follow the accepted one, and none may have the fence of another', () => {
  const { ledger, tell, found } = whole()
  tell({ what: 'started', id: found.id, fence: 8 })
  expect(ledger.check([found]).startedAfterwards).toHaveLength(1)
  tell({ what: 'started', id: found.id, fence: 8 })
  expect(ledger.check([found]).fenceReused).toHaveLength(1)
})

test('a rejection that nobody handled is a rule broken, and an error that a page expected is not', () => {
  const { ledger, tell, found } = whole()
  tell({ what: 'problem', text: 'HOLDFAST_SESSION_ENDED (claim)' })
  expect(ledger.check([found])).toEqual(NOTHING_BROKEN)
  tell({ what: 'problem', text: 'unhandled: AbortError' })
  expect(ledger.check([found]).unhandled).toEqual(['unhandled: AbortError'])
})

test('a job that nobody ordered is found', () => {
  const { ledger, found } = whole()
  expect(ledger.check([found, { ...found, id: 'other' }]).unasked).toEqual(['other'])
})

test('what a tab did not acknowledge before its end is ordered again, from another one', () => {
  const { ledger, tell } = newLedger()
  const orders = JSON.parse(tell({ what: 'asked' })) as Order[]
  expect(tell({ what: 'asked' }, 'other tab')).toBe('[]')
  ledger.end('tab')
  expect(tell({ what: 'asked' })).toBe('null')
  expect(JSON.parse(tell({ what: 'asked' }, 'other tab'))).toEqual(orders)
})

test('a page that asks again before it told what became of its orders did not hear them: it is given the same', () => {
  const { tell } = newLedger()
  const orders = tell({ what: 'asked' })
  expect(tell({ what: 'asked' })).toBe(orders)
  expect(tell({ what: 'asked' }, 'other tab')).toBe('[]')
})
