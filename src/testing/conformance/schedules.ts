import type { DefineRequest, DefinitionKind, DefinitionRecord, Tick } from '../../core/storage/contract.ts'
import { equal } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { MINUTE, NOW } from './moments.ts'
import { ids, only, type Site } from './site.ts'

export const schedules: readonly ConformanceCase[] = area('schedules', {
  'a definition is stored under its name': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: { cron: '0 8 * * *' } }])
    await defines(site, 'schedule', [{ name: 'daily', value: { cron: '0 8 * * *' }, watermark: null }])
  },

  'a definition replaces the one of its name': async (site) => {
    await define(site, 'automation', [
      { name: 'one', value: 1 },
      { name: 'two', value: 2 },
    ])
    await define(site, 'automation', [{ name: 'one', value: 'new' }])
    const expected = [
      { name: 'one', value: 'new', watermark: null },
      { name: 'two', value: 2, watermark: null },
    ]
    await defines(site, 'automation', expected)
  },

  'a definition without value removes the name': async (site) => {
    await define(site, 'automation', [
      { name: 'one', value: 1 },
      { name: 'two', value: 2 },
    ])
    await define(site, 'automation', [
      { name: 'one', value: null },
      { name: 'nobody', value: null },
    ])
    await defines(site, 'automation', [{ name: 'two', value: 2, watermark: null }])
  },

  'a change is put into what is defined, and defines nothing where there is nothing': async (site) => {
    await define(site, 'automation', [{ name: 'one', value: { on: 'insert:users', enabled: true } }])
    const change = { enabled: false }
    const batch = ['one', 'nobody'].map((name) => ({ name, change }))
    equal(await define(site, 'automation', batch), [true, false], 'whether they were defined before')
    await defines(site, 'automation', [{ name: 'one', value: { on: 'insert:users', enabled: false }, watermark: null }])
    equal(await define(site, 'automation', [{ name: 'one', value: null }]), [true], 'the answer to a removal')
    equal(await define(site, 'automation', [{ name: 'one', value: null }]), [false], 'the answer to its repeat')
  },

  'a change at the same time as another definition leaves one of the two whole': async (site) => {
    await define(site, 'automation', [{ name: 'one', value: { on: 'a', enabled: true } }])
    const [left, right] = await site.handles.pair()
    await Promise.all([
      left.define({ kind: 'automation', batch: [{ name: 'one', change: { enabled: false } }] }),
      right.define({ kind: 'automation', batch: [{ name: 'one', value: { on: 'b', enabled: true } }] }),
    ])
    await site.settled(async (storage) => {
      const { on } = only(await storage.definitions('automation'), 'the definition').value as { on: string }
      equal(on, 'b', 'what the definition says')
    })
  },

  'schedules and automations may have the same names': async (site) => {
    await define(site, 'schedule', [{ name: 'same', value: 'schedule' }])
    await define(site, 'automation', [{ name: 'same', value: 'automation' }])
    await define(site, 'automation', [{ name: 'same', value: null }])
    await defines(site, 'schedule', [{ name: 'same', value: 'schedule', watermark: null }])
    await defines(site, 'automation', [])
  },

  'a tick moves the watermark and stores its jobs': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: {} }])
    equal(await tick(site, { after: null, slot: NOW, jobs: [site.newJob({ id: 'one' })] }), true, '`moved`')
    await defines(site, 'schedule', [{ name: 'daily', value: {}, watermark: NOW }])
    equal(ids((await site.claim()).jobs), ['one'], 'the claimed jobs')
  },

  'ticks follow each other': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: {} }])
    await tick(site, { after: null, slot: NOW, jobs: [site.newJob({ id: 'one' })] })
    const jobs = [site.newJob({ id: 'two' }), site.newJob({ id: 'three' })]
    equal(await tick(site, { after: NOW, slot: NOW + MINUTE, jobs }), true, '`moved`')
    equal(ids((await site.claim()).jobs), ['one', 'two', 'three'], 'the claimed jobs')
  },

  'a tick from another watermark stores nothing': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: {} }])
    await tick(site, { after: null, slot: NOW, jobs: [] })
    for (const after of [null, NOW - MINUTE, NOW + MINUTE]) {
      const jobs = [site.newJob({ id: `after ${after}` })]
      equal(await tick(site, { after, slot: NOW + 2 * MINUTE, jobs }), false, `\`moved\` after ${after}`)
      await site.gone(`after ${after}`)
    }
    await defines(site, 'schedule', [{ name: 'daily', value: {}, watermark: NOW }])
  },

  'of two concurrent ticks one moves': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: {} }])
    const [left, right] = await site.handles.pair()
    const answers = await Promise.all(
      [left, right].map((storage, index) => {
        const jobs = [site.newJob({ id: `tick ${index}` })]
        return storage.tick({ batch: [{ schedule: 'daily', after: null, slot: NOW, jobs }], now: NOW })
      }),
    )
    equal(answers.flat().filter(({ moved }) => moved).length, 1, 'the number of ticks that moved')
    equal((await site.claim()).jobs.length, 1, 'the number of jobs')
  },

  'ticks in a batch are independent and answered in order': async (site) => {
    await define(site, 'schedule', [
      { name: 'x', value: {} },
      { name: 'y', value: {} },
    ])
    const storage = await site.storage()
    const batch = [
      { schedule: 'x', after: NOW, slot: NOW + MINUTE, jobs: [site.newJob({ id: 'void' })] },
      { schedule: 'y', after: null, slot: NOW, jobs: [site.newJob({ id: 'stored' })] },
    ]
    equal(await storage.tick({ batch, now: NOW }), [{ moved: false }, { moved: true }], 'the answer')
    await site.gone('void')
    await site.shows('stored', { state: 'waiting' })
  },

  'a tick whose job has the id of another stores nothing, says so and keeps the watermark': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: {} }])
    await site.add({ id: 'taken', payload: 'what was there' })
    const batch = [
      {
        schedule: 'daily',
        after: null,
        slot: NOW,
        jobs: [site.newJob({ id: 'free' }), site.newJob({ id: 'taken', payload: 'another' })],
      },
    ]
    const storage = await site.storage()
    const answer = await storage.tick({ batch, now: NOW })
    equal(answer, [{ moved: false, conflict: { index: 1, id: 'taken' } }], 'the answer')
    await site.gone('free')
    await site.shows('taken', { payload: 'what was there' })
    await defines(site, 'schedule', [{ name: 'daily', value: {}, watermark: null }])
    equal(
      await tick(site, { after: null, slot: NOW, jobs: [site.newJob({ id: 'free' })] }),
      true,
      '`moved` with another id',
    )
  },

  'a tick whose job is stored already as it is moves the watermark': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: {} }])
    await site.add({ id: 'known', payload: 'the same' })
    const jobs = [site.newJob({ id: 'known', payload: 'the same' })]
    equal(await tick(site, { after: null, slot: NOW, jobs }), true, '`moved`')
    await defines(site, 'schedule', [{ name: 'daily', value: {}, watermark: NOW }])
  },

  'the job of a tick goes by its key': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: {} }])
    await site.add({ id: 'holder', jobKey: 'key', payload: 1 })
    await tick(site, { after: null, slot: NOW, jobs: [site.newJob({ jobKey: 'key', payload: 2 })] })
    await site.shows('holder', { payload: 2 })
    equal(ids((await site.claim()).jobs), ['holder'], 'the claimed jobs')
  },

  'a schedule that is defined again keeps its watermark': async (site) => {
    await define(site, 'schedule', [{ name: 'daily', value: 1 }])
    await tick(site, { after: null, slot: NOW, jobs: [] })
    await define(site, 'schedule', [{ name: 'daily', value: 2 }])
    await defines(site, 'schedule', [{ name: 'daily', value: 2, watermark: NOW }])
  },
})

async function define(site: Site, kind: DefinitionKind, batch: DefineRequest['batch']): Promise<readonly boolean[]> {
  const storage = await site.storage()
  return storage.define({ kind, batch })
}

async function defines(site: Site, kind: DefinitionKind, expected: readonly DefinitionRecord[]): Promise<void> {
  await site.settled(async (storage) => {
    const records = [...(await storage.definitions(kind))].sort((left, right) => (left.name < right.name ? -1 : 1))
    equal(records, expected, 'the definitions')
  })
}

async function tick(site: Site, step: Omit<Tick, 'schedule'>): Promise<boolean> {
  const storage = await site.storage()
  return only(await storage.tick({ batch: [{ schedule: 'daily', ...step }], now: NOW }), 'the answer').moved
}
