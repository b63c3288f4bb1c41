/** How the endpoint behaves: what people choose on the page. */
export type Behaviour = 'answers' | 'fails twice' | 'fails'

export interface EndpointState {
  /** Who it is, for people. */
  readonly by: string
  readonly behaviour: Behaviour
  /** Deliveries that it took, and those that it refused. */
  readonly taken: number
  readonly refused: number
}

/**
 * An endpoint that fails on cue. The same code answers in the playground's own server and, where there is none, in a
 * service worker; its state is in memory and ends with either.
 *
 *     GET  webhooks/state            how it is
 *     POST webhooks/behave?as=fails  how it is to be from now on
 *     POST webhooks/deliver?id=…     a delivery: 200, or 503 on cue
 */
export class Endpoint {
  readonly #by: string
  #behaviour: Behaviour = 'answers'
  #taken = 0
  #refused = 0
  /** How often each delivery was refused since the behaviour was chosen. */
  #refusals = new Map<string, number>()

  constructor(by: string) {
    this.#by = by
  }

  /** `null`: the request is not for this endpoint. */
  answer(method: string, { pathname, searchParams }: URL): { status: number; body: unknown } | null {
    const asked = /\/webhooks\/(state|behave|deliver)$/.exec(pathname)?.[1]
    if (asked === 'state' && method === 'GET') return { status: 200, body: this.#state() }
    if (asked === 'behave' && method === 'POST') return this.#behave(searchParams.get('as'))
    if (asked === 'deliver' && method === 'POST') return this.#deliver(searchParams.get('id') ?? '')
    return null
  }

  #behave(as: string | null): { status: number; body: unknown } {
    if (as !== 'answers' && as !== 'fails twice' && as !== 'fails') return { status: 400, body: this.#state() }
    this.#behaviour = as
    this.#refusals.clear()
    return { status: 200, body: this.#state() }
  }

  #deliver(id: string): { status: number; body: unknown } {
    const refusals = this.#refusals.get(id) ?? 0
    if (this.#behaviour === 'fails' || (this.#behaviour === 'fails twice' && refusals < 2)) {
      this.#refusals.set(id, refusals + 1)
      this.#refused += 1
      return { status: 503, body: { refused: id } }
    }
    this.#taken += 1
    return { status: 200, body: { taken: id } }
  }

  #state(): EndpointState {
    return { by: this.#by, behaviour: this.#behaviour, taken: this.#taken, refused: this.#refused }
  }
}
