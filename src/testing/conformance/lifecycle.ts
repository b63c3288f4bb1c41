import { assertPromise, equal, ok, rejects } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { everyOperation } from './operations.ts'
import { ids } from './site.ts'

export const lifecycle: readonly ConformanceCase[] = [
  ...area('lifecycle', {
    'the contract version, the name and the traits are stated': async (site) => {
      const { contract, name, traits } = await site.storage()
      equal(contract, 1, 'the contract version')
      ok(name.length > 0, 'a name')
      ok(['instance', 'origin', 'host', 'network'].includes(traits.scope), 'a known scope')
      ok(['json', 'structured-clone'].includes(traits.payload), 'a known payload trait')
      equal([typeof traits.durable, typeof traits.transactions], ['boolean', 'boolean'], 'the other traits')
    },

    'two storages share nothing': async (site) => {
      const { id } = await site.add({ id: 'same', jobKey: 'key' })
      const elsewhere = await site.handles.elsewhere()
      equal(await elsewhere.get([id]), [null], 'the record in the other storage')
      const answer = await elsewhere.enqueue({ jobs: [site.newJob({ id, payload: 'other', jobKey: 'key' })], now: 0 })
      ok(answer.accepted && answer.jobs[0]?.disposition === 'created', 'the same id and key to be free elsewhere')
    },

    'every operation returns a promise': async (site) => {
      await site.open('s')
      for (const [name, call] of Object.entries(everyOperation(site, 's'))) {
        const storage = await site.storage()
        await assertPromise(() => call(storage), name)
      }
    },

    'every operation before the first open rejects': async (site) => {
      const handle = site.handles.unopened()
      for (const [name, call] of Object.entries(everyOperation(site, 's'))) {
        await rejects(
          assertPromise(() => call(handle), name),
          'HOLDFAST_STORAGE_CLOSED',
          `${name} before open`,
        )
      }
    },

    'every operation after close rejects': async (site) => {
      await site.open('s')
      const handle = await site.storage()
      await handle.close()
      for (const [name, call] of Object.entries(everyOperation(site, 's'))) {
        await rejects(
          assertPromise(() => call(handle), name),
          'HOLDFAST_STORAGE_CLOSED',
          `${name} after close`,
        )
      }
    },

    'opening twice is opening once': async (site) => {
      const { id } = await site.add()
      const handle = await site.storage()
      await Promise.all([handle.open(), handle.open()])
      equal(ids((await handle.get([id])).flatMap((job) => job ?? [])), [id], 'the job')
    },

    'closing keeps the jobs': async (site) => {
      const { id } = await site.add({ payload: { kept: true } })
      const handle = await site.storage()
      await handle.close()
      await handle.open()
      await site.shows(id, { state: 'waiting', payload: { kept: true } })
    },

    'closing ends no session': async (site) => {
      const { id } = await site.add()
      const { fence } = await site.claimOne()
      const handle = await site.storage()
      await handle.close()
      await handle.open()
      const answer = await site.beat({ holds: [{ id, fence }] })
      equal(answer, { cancel: [], lost: [], orphans: [], ended: false }, 'the beat after the reopening')
    },

    'closing waits for writes under way': async (site) => {
      const job = site.newJob()
      const handle = await site.storage()
      const enqueue = handle.enqueue({ jobs: [job], now: job.createdAt })
      await Promise.all([enqueue, handle.close()])
      await handle.open()
      await site.shows(job.id, { state: 'waiting' })
    },
  }),

  ...area(
    'lifecycle',
    {
      'one handle goes on when another is closed': async (site) => {
        const { id } = await site.add()
        const [closed, open] = await site.handles.pair()
        await closed.close()
        equal((await open.enqueue({ jobs: [site.newJob()], now: 0 })).accepted, true, 'the enqueue')
        equal((await open.get([id]))[0]?.state, 'waiting', 'the state of the earlier job')
      },
    },
    ['two handles'],
  ),
]
