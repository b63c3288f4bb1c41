import type { Payload } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { complete } from './settlements.ts'
import type { Site } from './site.ts'

const JSON_VALUES: Readonly<Record<string, () => Payload>> = {
  null: () => null,
  'true and false': () => [true, false],
  'an empty text': () => '',
  'an empty object': () => ({}),
  'an empty array': () => [],
  'nested objects and arrays': () => ({ a: { b: [{ c: [1, [2, [3]]] }, {}], d: null } }),
  'sixty levels': () => Array.from({ length: 60 }).reduce<Payload>((inner) => ({ inner }), 'bottom'),
  'large and small numbers': () => [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e300, 5e-324, 0.1 + 0.2, -1.5],
  'texts of many scripts': () => ['żółw', '海藻', 'עוגן', '🪸🌊', 'e\u0301', '\u200d'],
  'texts that formats stumble over': () => ['\n', '\r\n', '\0', '\u2028\u2029', '"\\/', '</script>', '\n1234abcd {}'],
  'half a surrogate pair': () => ['\ud83d', '\udf0a'],
  'keys that look like numbers': () => ({ 10: 'ten', 2: 'two', '01': 'text', '': 'empty' }),
  'keys that objects inherit': () =>
    JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": 2}') as Payload,
  'keys of the storage itself': () => ({
    id: 'mine',
    sequence: -1,
    state: 'failed',
    fence: 0,
    payload: { payload: 1 },
  }),
  'a long text': () => '🌊holdfast '.repeat(16_000),
  'a long array': () => Array.from({ length: 20_000 }, (_, index) => index),
}

/** What goes in comes out. What only some storages keep is in `structured.ts`. */
export const payload: readonly ConformanceCase[] = Object.entries(JSON_VALUES).flatMap(([name, make]) =>
  area('payload', { [`a value comes back equal: ${name}`]: (site) => survives(site, make) }),
)

/** As a payload, as progress and as a result. */
async function survives(site: Site, make: () => Payload): Promise<void> {
  const { id } = await site.add({ payload: make() })
  await site.shows(id, { payload: make() })
  const held = await site.claimOne()
  equal(held.payload, make(), 'the payload in the claim')
  await site.beat({ holds: [held], progress: [{ id, fence: held.fence, value: make() }] })
  await site.shows(id, { progress: make() })
  await site.settle(complete(held, make()))
  await site.shows(id, { payload: make(), result: make() })
}
