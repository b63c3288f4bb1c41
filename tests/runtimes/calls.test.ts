// What comlink's exposed objects give away to whoever can post to them, tried on both sides of a thread.
import { expect, test } from 'vitest'
import { HoldfastError } from '../../src/index.ts'
import { answering, calling } from '../../src/runtimes/threads/calls.ts'
import type { Wire } from '../../src/runtimes/threads/protocol.ts'
import { codeOf } from '../core/doubles.ts'

const raw = (value: unknown) => ({ type: 'RAW', value })

/** Asks an exposed `add` and `fail` as an attacker would: what is answered, once all that was to be has been. */
async function attacked(message: unknown): Promise<readonly Wire[]> {
  const answers: Wire[] = []
  const exposed = {
    add: (first: number, second: number) => first + second,
  }
  const ask = answering(exposed, (answer) => answers.push(structuredClone(answer)))
  ask(message)
  // A call that is let through answers within this turn of the loop.
  await new Promise((resolve) => setTimeout(resolve))
  return answers
}

test('the call of an exposed function is answered', async () => {
  const call = { id: 'a', type: 'APPLY', path: ['add'], argumentList: [raw(1), raw(2)] }
  expect(await attacked(call)).toMatchObject([{ kind: 'answer', message: { id: 'a', value: { value: 3 } } }])
})

const attacks: Readonly<Record<string, unknown>> = {
  'a constructor': { type: 'CONSTRUCT', path: ['constructor', 'constructor'], argumentList: [raw('return 1')] },
  'a constructor of a function': { type: 'CONSTRUCT', path: ['add', 'constructor'], argumentList: [raw('return 1')] },
  'a call of Function': { type: 'APPLY', path: ['add', 'constructor'], argumentList: [raw('return 1')] },
  'a call by another function': { type: 'APPLY', path: ['add', 'call'], argumentList: [raw(null), raw(1), raw(2)] },
  'a prototype': { type: 'GET', path: ['__proto__'], argumentList: [] },
  'a prototype that is set': { type: 'SET', path: ['__proto__', 'polluted'], value: raw(true), argumentList: [] },
  'a function that is set': { type: 'SET', path: ['add'], value: raw(null), argumentList: [] },
  'a function that is read': { type: 'GET', path: ['add'], argumentList: [] },
  'a port of its own': { type: 'ENDPOINT', path: [], argumentList: [] },
  'the end of all calls': { type: 'RELEASE', path: [], argumentList: [] },
  'an inherited name': { type: 'APPLY', path: ['toString'], argumentList: [] },
  'a name that is none': { type: 'APPLY', path: [{ toString: 'add' }], argumentList: [] },
  'no path': { type: 'APPLY', argumentList: [] },
  'a live object': { type: 'APPLY', path: ['add'], argumentList: [{ type: 'HANDLER', name: 'proxy', value: {} }] },
  'an error to throw': { type: 'APPLY', path: ['add'], argumentList: [{ type: 'HANDLER', name: 'throw', value: {} }] },
  'arguments that are none': { type: 'APPLY', path: ['add'], argumentList: 'all' },
}

test.each(Object.entries(attacks))('%s is not to be had', async (_, message) => {
  expect(await attacked({ id: 'a', ...(message as object) })).toEqual([])
  expect('polluted' in {}).toBe(false)
})

test.each([null, 7, 'APPLY', [], {}])('what is no request is not heard: %o', async (message) => {
  expect(await attacked(message)).toEqual([])
})

/** Two sides, wired to each other. */
function wired(functions: Readonly<Record<string, (...values: never[]) => unknown>>) {
  const calls = calling((request) => {
    const { message } = structuredClone(request)
    ask(message)
  })
  const ask = answering(functions, (answer) => {
    const { message } = structuredClone(answer)
    calls.receive(message)
  })
  return calls
}

test('an error keeps its code and cause, and its class is looked up nowhere', async () => {
  class Own extends Error {
    override readonly name = 'Own'
    readonly code = 'EOWN'
  }
  const calls = wired({
    ours: () => Promise.reject(new HoldfastError('HOLDFAST_UNKNOWN_JOB', 'no', { cause: new TypeError('why') })),
    own: () => Promise.reject(new Own('mine')),
  })
  const ours = await calls.call('ours').catch((error: unknown) => error)
  expect([codeOf(ours), (ours as Error).cause]).toMatchObject(['HOLDFAST_UNKNOWN_JOB', { name: 'TypeError' }])
  const own: unknown = await calls.call('own').catch((error: unknown) => error)
  expect(own).toMatchObject({ name: 'Own', code: 'EOWN', message: 'mine' })
  expect(Object.getPrototypeOf(own)).toBe(Error.prototype)
})

test('an answer that cannot be sent is an error, and not silence', async () => {
  const calls = wired({ odd: () => () => undefined })
  await expect(calls.call('odd')).rejects.toThrow()
})

test('an answer that wants to be a live object is an error', async () => {
  let id: unknown
  const calls = calling(({ message }) => (id = (message as { readonly id: unknown }).id))
  const asked = calls.call('anything')
  calls.receive({ id, type: 'HANDLER', name: 'proxy', value: {} })
  await expect(asked).rejects.toThrow()
})
