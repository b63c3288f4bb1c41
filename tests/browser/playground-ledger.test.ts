import { afterEach, beforeEach, expect, test } from 'vitest'
import { LEDGER, Ledger, openLedger } from '../../playground/src/ledger.ts'

let connections: Awaited<ReturnType<typeof openLedger>>[] = []

const open: typeof openLedger = async () => {
  const connection = await openLedger()
  connections.push(connection)
  return connection
}
/** What WebKit does to pages in the background. */
const killConnections = (): void => {
  for (const connection of connections) connection.close()
}
const deleted = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(LEDGER)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error ?? new Error('The ledger was not deleted'))
  })

beforeEach(async () => {
  connections = []
  await deleted()
})
afterEach(async () => {
  killConnections()
  await deleted()
})

test('a ledger whose connection was killed goes on with another one', async () => {
  const ledger = new Ledger(open)
  await ledger.acknowledged(['a'])
  expect(await ledger.readOn()).toEqual([{ acknowledged: ['a'] }])
  killConnections()
  await ledger.acknowledged(['b'])
  killConnections()
  expect(await ledger.readOn()).toEqual([{ acknowledged: ['b'] }])
  expect(connections).toHaveLength(3)
})

test('a ledger that could not be opened is opened when it is needed again', async () => {
  let refusals = 2
  const ledger = new Ledger(() => (refusals-- > 0 ? Promise.reject(new Error('not now')) : open()))
  await expect(ledger.acknowledged(['a'])).rejects.toThrow('not now')
  await ledger.acknowledged(['b'])
  expect(await ledger.readOn()).toEqual([{ acknowledged: ['b'] }])
})
