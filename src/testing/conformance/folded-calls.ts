import type { NewJob, Payload } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { call } from './keys.ts'
import { area, type ConformanceCase } from './kit.ts'
import type { Site } from './site.ts'

/** A call that was folded into the waiting holder of its key is known by its id, and by what it said. */
export const foldedCalls: readonly ConformanceCase[] = area('keys', {
  'the id of a folded call with another payload is refused, with its own it is a repeat': async (site) => {
    for (const key of keys()) await isKnown(site, key, await fold(site, key))
  },

  'a folded call is known by what it said, also when a later one has replaced that': async (site) => {
    for (const key of keys()) {
      const holder = await fold(site, key)
      for (const number of [3, 4]) await call(site, { ...key.fields, payload: key.payload(number) })
      await isKnown(site, key, holder)
    }
  },
})

interface Key {
  readonly fields: { readonly jobKey: string; readonly jobKeyMode: NewJob['jobKeyMode'] }
  readonly payload: (number: number) => Payload
}

/** One for each mode, with payloads that are joined and with such that replace each other. */
function keys(): readonly Key[] {
  return (['replace', 'preserveRunAt', 'unsafeDedupe'] as const).flatMap((jobKeyMode) => [
    { fields: { jobKey: `lists, ${jobKeyMode}`, jobKeyMode }, payload: (number) => [number] },
    { fields: { jobKey: `objects, ${jobKeyMode}`, jobKeyMode }, payload: (number) => ({ number }) },
  ])
}

/** The second call with the key. Answers the id of the holder. */
async function fold(site: Site, key: Key): Promise<string> {
  const { id } = await call(site, { ...key.fields, payload: key.payload(1) })
  await call(site, folded(key))
  return id
}

function folded({ fields, payload }: Key): Partial<NewJob> & { readonly id: string } {
  return { ...fields, id: `folded: ${fields.jobKey}`, payload: payload(2) }
}

async function isKnown(site: Site, key: Key, holder: string): Promise<void> {
  const { jobKey, jobKeyMode } = key.fields
  const again = folded(key)
  const before = await site.job(holder)
  const refused = { accepted: false, index: 1, id: again.id }
  equal(await site.enqueue([{}, { ...again, payload: key.payload(5) }]), refused, `another payload, ${jobKey}`)
  equal((await site.enqueue([{ ...again, type: 'other' }])).accepted, false, `another type, ${jobKey}`)
  const disposition = jobKeyMode === 'unsafeDedupe' ? 'kept' : 'replaced'
  equal(await call(site, again), { id: holder, disposition, job: before }, `the answer to the repeat, ${jobKey}`)
  await site.shows(holder, before)
}
