import type { JobRecord, ListAnswer, NewJob, Payload } from '../../core/storage/contract.ts'
import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { NOW } from './moments.ts'
import { complete, retry } from './settlements.ts'
import { ids, type Site } from './site.ts'

const BYTES = [0, 1, 127, 128, 255, 10, 13, 34]
const bytes = (): ArrayBuffer => new Uint8Array(BYTES).buffer
const file = (name: string, lastModified: number): File =>
  new File(['tide'], name, { type: 'text/plain', lastModified })

const VALUES: Readonly<Record<string, () => Payload>> = {
  'a Date alone': () => new Date(0),
  Dates: () => ({ at: new Date(-1), list: [new Date(8_640_000_000_000_000)] }),
  'a Map alone': () => new Map([['key', 'value']]),
  'Maps with keys of all kinds': () =>
    new Map<unknown, unknown>([
      ['1', 'text'],
      [1, 'number'],
      [true, 'boolean'],
      [null, 'null'],
      ['__proto__', 'a name that objects inherit'],
    ]),
  'Maps in Maps, with objects and lists': () => ({ map: new Map([['inner', new Map([['list', [{ n: 1 }, null]]])]]) }),
  'a Map and its order': () => new Map(Array.from({ length: 100 }, (_, n) => [99 - n, n])),
  'an ArrayBuffer alone': bytes,
  'an empty ArrayBuffer': () => ({ empty: new ArrayBuffer(0) }),
  'every kind of typed array': () => [
    new Int8Array(bytes()),
    new Uint8Array(bytes()),
    new Uint8ClampedArray(bytes()),
    new Int16Array(bytes()),
    new Uint16Array(bytes()),
    new Int32Array(bytes()),
    new Uint32Array(bytes()),
    new Float32Array([0.5, Number.NaN]),
    new Float64Array([0.1, Number.NEGATIVE_INFINITY]),
    new BigInt64Array(bytes()),
    new BigUint64Array(bytes()),
  ],
  'a DataView': () => ({ view: new DataView(bytes()) }),
  'bytes of a photo': () => ({ photo: Uint8Array.from({ length: 100_000 }, (_, n) => (n * n) % 251) }),
  'all of them beside JSON': () => ({
    n: 1,
    list: [new Date(5), 'text', new Map([['bytes', new Uint8Array(BYTES)]]), null],
  }),
}

/** What payloads may hold where the storage's trait `payload` is `structured-clone`. */
export const structured: readonly ConformanceCase[] = [
  ...Object.entries(VALUES).flatMap(([name, make]) =>
    area('structured', { [`a payload comes back equal: ${name}`]: (site) => survives(site, make) }, [
      'structured-clone',
    ]),
  ),
  ...area(
    'structured',
    {
      'a payload comes back equal: a Blob and what it holds': (site) =>
        holds(site, () => new Blob(['high', ' ', 'tide'], { type: 'text/plain' }), 'high tide'),

      'a payload comes back equal: a File and what it holds': (site) => holds(site, () => file('tide.txt', 5), 'tide'),

      'a payload comes back equal: Blobs and Files in Maps, lists and objects': (site) =>
        survives(site, () => ({
          photos: new Map([['front', file('front.jpg', 1)]]),
          list: [new Blob([bytes()], { type: 'image/png' }), new Blob([], { type: '' })],
        })),

      'a caller who changes the payload after the answer changes no job': async (site) => {
        const payload = changeable()
        const { id } = await site.add({ payload })
        change(payload)
        await site.shows(id, { payload: changeable() })
      },

      'who changes the payload of a record that was read changes no job': async (site) => {
        const { id, payload: added } = await site.add({ payload: changeable() })
        change(added)
        change((await site.job(id)).payload)
        await site.shows(id, { payload: changeable() })
      },

      'a handler that changes its payload changes no job: the next attempt gets it whole': async (site) => {
        const { id } = await site.add({ payload: changeable() })
        const held = await site.claimOne()
        change(held.payload)
        await site.settle(retry(held))
        equal((await site.claimOne()).payload, changeable(), 'the payload of the second claim')
        await site.shows(id, { payload: changeable() })
      },

      'a job enqueued by an outcome keeps its payload': async (site) => {
        await site.add()
        const payload = changeable()
        const enqueue = [site.newJob({ id: 'next', payload })]
        await site.settle({ ...complete(await site.claimOne()), enqueue })
        change(payload)
        await site.shows('next', { payload: changeable() })
      },

      'pages in the order of what JSON does not have show each job once': async (site) => {
        const values = [new Map([['a', 1]]), new Uint8Array(BYTES), new Date(5), [new Map(), 1], { at: new Date(1) }, 3]
        for (const n of values) await site.add({ payload: { n } })
        for (const n of [...values].reverse()) await site.add({ payload: { n } })
        const orderBy = [{ path: ['payload', 'n'], direction: 'asc' }] as const
        await site.settled(async (storage) => {
          const seen: string[] = []
          let after: string | null = null
          do {
            const page: ListAnswer = await storage.list({ where: {}, orderBy, limit: 1, after, now: NOW })
            seen.push(...ids(page.jobs))
            after = page.cursor
          } while (after !== null && seen.length <= 2 * values.length)
          equal([seen.length, new Set(seen).size], [2 * values.length, 2 * values.length], 'the jobs that were shown')
        })
      },

      'lists that are collected under a key are joined': async (site) => {
        const { id } = await site.add({ jobKey: 'key', payload: [new Map([['a', 1]]), new Date(1)] })
        await site.add({ jobKey: 'key', payload: [new Uint8Array(BYTES)] })
        await site.shows(id, { payload: [new Map([['a', 1]]), new Date(1), new Uint8Array(BYTES)] })
      },

      'a list whose bytes leave no room for more runs as it is, without its key': async (site) => {
        const parts: readonly Payload[] = [
          new Map([['a', new DataView(bytes())]]),
          bytes(),
          new Date(1),
          new Uint8Array(BYTES),
        ]
        const key = { jobKey: 'key', joinedAtMost: { json: 1000, binary: 3 * BYTES.length } }
        const { id } = await site.add({ ...key, payload: parts })
        await site.add({ ...key, payload: [{ size: 1, byteLength: 1 }] })
        const next = await site.add({ ...key, payload: [new Uint8Array(1)] })
        await site.shows(id, { jobKey: null, payload: [...parts, { size: 1, byteLength: 1 }] })
        await site.shows(next.id, { jobKey: 'key', payload: [new Uint8Array(1)] })
      },
    },
    ['structured-clone'],
  ),
  ...Object.entries(differences()).flatMap(([name, [one, other]]) =>
    area('structured', { [`an id tells payloads apart: ${name}`]: (site) => toldApart(site, one, other) }, [
      'structured-clone',
    ]),
  ),
]

/** Two payloads each that are not the same. Blobs only by what they say of themselves: size, type, name and date. */
function differences(): Readonly<Record<string, readonly [() => Payload, () => Payload]>> {
  const blob = (text: string, type: string) => () => ({ blob: new Blob([text], { type }) })
  return {
    Dates: [() => new Date(1), () => new Date(2)],
    'a Date and its text': [() => new Date(1), () => new Date(1).toISOString()],
    'values of a Map': [() => new Map([['a', { n: 1 }]]), () => new Map([['a', { n: 2 }]])],
    'keys of a Map': [() => new Map([[1, 'a']]), () => new Map([['1', 'a']])],
    'a Map and an object': [() => new Map([['a', 1]]), () => ({ a: 1 })],
    'one byte': [() => new Uint8Array([1, 2, 3]), () => new Uint8Array([1, 2, 4])],
    'the number of bytes': [() => new ArrayBuffer(3), () => new ArrayBuffer(4)],
    'kinds of views': [() => new Uint8Array(2), () => new Int8Array(2)],
    'a DataView and its buffer': [() => new DataView(bytes()), bytes],
    'the size of a Blob': [blob('ab', 'x/y'), blob('abc', 'x/y')],
    'the type of a Blob': [blob('ab', 'x/y'), blob('ab', 'x/z')],
    'the name of a File': [() => file('a', 1), () => file('b', 1)],
    'the date of a File': [() => file('a', 1), () => file('a', 2)],
  }
}

/** As it was stored, as it was claimed, and again after a failure. */
async function survives(site: Site, make: () => Payload): Promise<void> {
  const { id, payload } = await site.add({ payload: make() })
  equal(payload, make(), 'the payload in the answer')
  await site.shows(id, { payload: make() })
  const held = await site.claimOne()
  equal(held.payload, make(), 'the payload in the claim')
  await site.settle(retry(held))
  const again = await site.claimOne()
  equal(again.payload, make(), 'the payload in the second claim')
  await site.settle(complete(again))
  await site.shows(id, { payload: make(), state: 'completed' })
}

async function holds(site: Site, make: () => Blob, text: string): Promise<void> {
  await survives(site, () => ({ part: make() }))
  const read = async ({ payload }: JobRecord): Promise<string> => (payload as { part: Blob }).part.text()
  const { id } = await site.add({ payload: { part: make() } })
  equal(await read(await site.claimOne()), text, 'what the Blob of the claim holds')
  equal(await read(await site.job(id)), text, 'what the Blob of the record holds')
}

interface Changeable {
  readonly at: Date
  readonly map: Map<string, unknown>
  readonly buffer: ArrayBuffer
  readonly view: Uint8Array
}

function changeable(): Changeable {
  return { at: new Date(1), map: new Map([['list', [1]]]), buffer: bytes(), view: new Uint8Array(BYTES) }
}

function change(payload: unknown): void {
  const { at, map, buffer, view } = payload as Changeable
  at.setTime(2)
  ;(map.get('list') as number[]).push(2)
  map.set('more', 2)
  new Uint8Array(buffer)[0] = 2
  view[0] = 2
}

/** Where the call with the id made a job, where that job was replaced since, and where the call was folded into it. */
async function toldApart(site: Site, one: () => Payload, other: () => Payload): Promise<void> {
  const accepts = async (job: Partial<NewJob>): Promise<boolean> => (await site.enqueue([job])).accepted
  for (const wrap of [(value: Payload) => value, (value: Payload) => ({ deep: [value] })]) {
    const [made, folded] = [site.name('made'), site.name('folded')]
    const jobKey = site.name('key')
    const call = (id: string, make: () => Payload): Partial<NewJob> => ({ id, jobKey, payload: wrap(make()) })
    ok(await accepts(call(made, one)), 'the call to be accepted')
    ok(await accepts(call(made, one)), 'the repeat of the call to be accepted')
    ok(!(await accepts(call(made, other))), 'the id with another payload to be refused')
    ok(await accepts(call(folded, other)), 'the call with the key to be accepted')
    ok(await accepts(call(made, one)), 'the repeat of the call that was replaced to be accepted')
    ok(!(await accepts(call(made, other))), 'the id of the call that was replaced to be refused')
    ok(await accepts(call(folded, other)), 'the repeat of the folded call to be accepted')
    ok(!(await accepts(call(folded, one))), 'the id of the folded call to be refused')
  }
}
