import { type Endpoint, expose, transfer, wrap } from 'comlink'
import { isObject } from '../../core/storage/plain.ts'
import { revived, type ThrownData, thrownData, type Wire } from './protocol.ts'

/**
 * Calls from one side to the other, through comlink. Whoever can post to an endpoint that comlink exposes reaches
 * prototypes and constructors, and with them `Function`; so what comes in is checked first, and only the call of one
 * of the exposed functions, with plain values, gets through to it. [tests/runtimes/calls.test.ts]
 *
 * Results and errors travel as values of our own, since comlink's errors lose `code` and `cause`.
 */
type Functions = Readonly<Record<string, (...values: never[]) => unknown>>

type Answer = { readonly value: unknown } | { readonly error: ThrownData }

type Listener = (event: { readonly data: unknown }) => void

/** `bytes` are moved with the message. */
type Send<Message> = (message: Message, bytes?: readonly ArrayBuffer[]) => void

/** One direction of calls; the messages of a port are handed to `receive`. */
class Line {
  readonly #listeners = new Set<Listener>()
  #send: Send<unknown>

  constructor(send: Send<unknown>) {
    this.#send = send
  }

  /** Comlink's declarations name classes of browsers; it needs no more than these three. */
  get endpoint(): Endpoint {
    const endpoint = {
      postMessage: (message: unknown, bytes?: readonly ArrayBuffer[]) => this.#send(message, bytes),
      addEventListener: (_type: string, listener: Listener) => void this.#listeners.add(listener),
      removeEventListener: (_type: string, listener: Listener) => void this.#listeners.delete(listener),
    }
    return endpoint as unknown as Endpoint
  }

  /** Nothing is sent any more. Comlink holds on to the endpoint, and by it to whatever sends. */
  cut(): void {
    this.#send = () => undefined
  }

  receive(data: unknown): void {
    for (const listener of this.#listeners) listener({ data })
  }
}

/** Lets the other side call these functions. Returns what takes its requests. */
export function answering(functions: Functions, send: (message: Wire) => void): (request: unknown) => void {
  const api = Object.assign(Object.create(null) as Record<string, unknown>, functions)
  for (const [name, run] of Object.entries(functions))
    api[name] = async (...values: never[]): Promise<Answer> => {
      try {
        return { value: await run(...values) }
      } catch (error) {
        return { error: thrownData(error) }
      }
    }
  const line = new Line((message) => send({ kind: 'answer', message }))
  expose(Object.freeze(api), line.endpoint)
  return (request) => {
    const call = permitted(request, api)
    if (call !== null) line.receive(call)
  }
}

/** A call of a function that is exposed, made anew of nothing but what it needs; `null` for everything else. */
function permitted(request: unknown, api: object): unknown {
  const { id, type, path, argumentList } = Object(request) as Readonly<Record<string, unknown>>
  if (typeof id !== 'string' || type !== 'APPLY' || !Array.isArray(path) || !Array.isArray(argumentList)) return null
  const [name] = path as readonly unknown[]
  if (path.length !== 1 || typeof name !== 'string' || !Object.hasOwn(api, name)) return null
  if (!argumentList.every((item) => isObject(item) && 'type' in item && item.type === 'RAW')) return null
  const values = argumentList.map((item: { readonly value?: unknown }) => ({ type: 'RAW', value: item.value }))
  return { id, type, path: [name], argumentList: values }
}

export interface Calls {
  /** Rejects with the error that the function threw, which is told by its code. Never settles if nobody answers. */
  call(name: string, ...values: unknown[]): Promise<unknown>
  readonly receive: (answer: unknown) => void
  /** The other side is gone. */
  readonly cut: () => void
}

/** A value for `call`, whose bytes are moved with it. */
export function moving<Value extends object>(value: Value, bytes: readonly ArrayBuffer[]): Value {
  return transfer(value, [...bytes])
}

/** Calls what the other side exposes. */
export function calling(send: Send<Wire>): Calls {
  const line = new Line((message, bytes) => send({ kind: 'request', message }, bytes))
  const remote = wrap<Record<string, (...values: unknown[]) => Promise<Answer>>>(line.endpoint)
  return {
    cut: () => line.cut(),
    async call(name, ...values) {
      const answer = await remote[name]?.(...values)
      if (answer !== undefined && 'value' in answer) return answer.value
      throw revived(answer?.error)
    },
    receive: (answer) => {
      const { id, type, value } = Object(answer) as Readonly<Record<string, unknown>>
      // Of any other kind of answer comlink would make a live object, or throw it.
      const error = thrownData(new Error('The answer could not be sent'))
      line.receive({ id, type: 'RAW', value: type === 'RAW' ? value : { error } })
    },
  }
}
