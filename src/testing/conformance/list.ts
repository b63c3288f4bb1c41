import type { JobRecord, ListRequest, OrderField } from '../../core/storage/contract.ts'
import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { at, MINUTE, NOW, SECOND } from './moments.ts'
import { complete } from './settlements.ts'
import { ids, type Site } from './site.ts'

type Order = ListRequest['orderBy']
const NEWEST: Order = { field: 'createdAt', direction: 'desc' }

/** Order and pages. */
export const list: readonly ConformanceCase[] = [
  ...area('list', {
    'the newest job stands first': async (site) => {
      await site.add({ id: 'old' }, NOW)
      await site.add({ id: 'new' }, NOW + SECOND)
      await shows(site, NEWEST, ['new', 'old'])
    },

    'ties go by the order of enqueues, in the same direction': async (site) => {
      await site.addAll([{ id: 'b' }, { id: 'c' }, { id: 'a' }])
      await shows(site, NEWEST, ['a', 'c', 'b'])
      await shows(site, { field: 'createdAt', direction: 'asc' }, ['b', 'c', 'a'])
      await shows(site, { field: 'priority', direction: 'desc' }, ['a', 'c', 'b'])
    },

    'an empty storage lists nothing': async (site) => {
      await site.settled(async (storage) => {
        const answer = await storage.list({ where: {}, orderBy: NEWEST, limit: 10, after: null, now: NOW })
        equal(answer, { jobs: [], cursor: null }, 'the answer')
      })
    },

    'the records listed are those stored': async (site) => {
      const { id } = await site.add({ payload: { n: 1 }, queueName: 'queue' })
      await site.claimOne()
      const stored = await site.job(id)
      await site.settled(async (storage) => {
        const { jobs } = await storage.list({ where: {}, orderBy: NEWEST, limit: 10, after: null, now: NOW })
        equal(jobs, [stored], 'the listed records')
      })
    },

    'pages show every job once': async (site) => {
      await site.addAll(Array.from({ length: 7 }, (_, index) => ({ id: `job ${index}`, createdAt: NOW + index })))
      const pages = await walk(site, NEWEST, 3)
      equal(pages.map((page) => page.length).slice(0, 3), [3, 3, 1], 'the lengths of the pages')
      equal(
        ids(pages.flat()),
        [6, 5, 4, 3, 2, 1, 0].map((index) => `job ${index}`),
        'the listed jobs',
      )
    },

    'pages show every job once where all tie': async (site) => {
      await site.addAll(Array.from({ length: 7 }, (_, index) => ({ id: `job ${index}` })))
      const pages = await walk(site, { field: 'priority', direction: 'asc' }, 2)
      equal(
        ids(pages.flat()),
        [0, 1, 2, 3, 4, 5, 6].map((index) => `job ${index}`),
        'the listed jobs',
      )
    },

    'pages that hold all jobs exactly end': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }, { id: 'four' }])
      const pages = await walk(site, NEWEST, 2)
      equal(ids(pages.flat()), ['four', 'three', 'two', 'one'], 'the listed jobs')
    },

    'pages keep to the condition': async (site) => {
      const jobs = Array.from({ length: 9 }, (_, index) => ({
        id: `job ${index}`,
        type: index % 2 === 0 ? 'even' : 'odd',
      }))
      await site.addAll(jobs)
      const pages = await walk(site, NEWEST, 2, { type: { eq: 'even' } })
      equal(
        ids(pages.flat()),
        [8, 6, 4, 2, 0].map((index) => `job ${index}`),
        'the listed jobs',
      )
    },

    'a page follows though the jobs of the one before are gone': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }, { id: 'four' }, { id: 'five' }])
      const storage = await site.handles.latest()
      const first = await storage.list({ where: {}, orderBy: NEWEST, limit: 2, after: null, now: NOW })
      ok(first.cursor !== null, 'a cursor')
      for (const { id } of first.jobs) await site.amend({ kind: 'remove', id })
      const after = first.cursor
      await site.settled(async (reader) => {
        const second = await reader.list({ where: {}, orderBy: NEWEST, limit: 2, after, now: NOW })
        equal(ids(second.jobs), ['three', 'two'], 'the second page')
      })
    },

    'a page follows though newer jobs came in between': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }])
      const storage = await site.handles.latest()
      const first = await storage.list({ where: {}, orderBy: NEWEST, limit: 2, after: null, now: NOW })
      ok(first.cursor !== null, 'a cursor')
      await site.addAll([{ id: 'four' }, { id: 'five' }], NOW + SECOND)
      const after = first.cursor
      await site.settled(async (reader) => {
        const second = await reader.list({ where: {}, orderBy: NEWEST, limit: 2, after, now: NOW })
        equal(ids(second.jobs), ['one'], 'the second page')
      })
    },
  }),

  ...(['createdAt', 'runAt', 'startedAt', 'finishedAt', 'priority'] satisfies OrderField[]).flatMap((field) =>
    area('list', {
      [`jobs can be ordered by ${field}, in pages`]: async (site) => {
        await disorder(site)
        const rising = ids((await walk(site, { field, direction: 'asc' }, 2)).flat())
        const falling = ids((await walk(site, { field, direction: 'desc' }, 2)).flat())
        const moments = await Promise.all(rising.map(async (id) => Number((await site.job(id))[field])))
        equal(
          moments,
          [...moments].sort((left, right) => left - right),
          `the values of ${field}`,
        )
        equal([...falling].reverse(), rising, 'the falling order, reversed')
        equal([...rising].sort(), ['a', 'b', 'c', 'd', 'e'], 'the listed jobs')
      },
    }),
  ),
]

/** Five completed jobs whose order is another by each field. */
async function disorder(site: Site): Promise<void> {
  const names = ['c', 'e', 'a', 'd', 'b']
  const jobs = names.map((id, index) => {
    const turn = (index * 2) % 5
    return { id, createdAt: NOW + ((index * 3) % 5), priority: (index * 4) % 5, ...at(NOW - MINUTE - turn) }
  })
  await site.addAll(jobs)
  for (let step = 0; step < names.length; step += 1) {
    const held = await site.claimOne({ limit: 1, now: NOW + ((step * 3) % 5) })
    await site.settle(complete(held), NOW + MINUTE + ((step * 2) % 5))
  }
}

async function shows(site: Site, orderBy: Order, expected: readonly string[]): Promise<void> {
  await site.settled(async (storage) => {
    const { jobs } = await storage.list({ where: {}, orderBy, limit: 100, after: null, now: NOW })
    equal(ids(jobs), expected, `the jobs by ${orderBy.field}, ${orderBy.direction}`)
  })
}

/** All pages, each read by a new step. */
async function walk(
  site: Site,
  orderBy: Order,
  limit: number,
  where: ListRequest['where'] = {},
): Promise<JobRecord[][]> {
  const pages: JobRecord[][] = []
  let after: string | null = null
  do {
    const storage = await site.handles.latest()
    const answer: { readonly jobs: readonly JobRecord[]; readonly cursor: string | null } = await storage.list({
      ...{ where, orderBy, limit, after, now: NOW },
    })
    ok(answer.jobs.length <= limit, `at most ${limit} jobs on a page, got ${answer.jobs.length}`)
    pages.push([...answer.jobs])
    after = answer.cursor
    ok(pages.length < 20, 'the pages to end')
  } while (after !== null)
  return pages
}
