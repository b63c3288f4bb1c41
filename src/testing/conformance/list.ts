import type { FilterField, JobRecord, ListOrder, ListRequest } from '../../core/storage/contract.ts'
import { equal, ok } from './expect.ts'
import { area, type ConformanceCase } from './kit.ts'
import { at, MINUTE, NOW, SECOND } from './moments.ts'
import { complete } from './settlements.ts'
import { ids, type Site } from './site.ts'

type Order = ListRequest['orderBy']
const NEWEST: Order = [{ path: ['createdAt'], direction: 'desc' }]

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
      await shows(site, by('createdAt', 'asc'), ['b', 'c', 'a'])
      await shows(site, by('priority', 'desc'), ['a', 'c', 'b'])
    },

    'an empty storage lists nothing': async (site) => {
      await site.settled(async (storage) => {
        const answer = await storage.list({ where: {}, orderBy: NEWEST, limit: 10, after: null, now: NOW })
        equal(answer, { jobs: [], cursors: [], cursor: null }, 'the answer')
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
      const pages = await walk(site, by('priority', 'asc'), 2)
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

    'the first order decides, then the next': async (site) => {
      await site.addAll([
        { id: 'a', priority: 1, payload: { n: 2 } },
        { id: 'b', priority: 2, payload: {} },
        { id: 'c', priority: 1, payload: { n: 'x' } },
        { id: 'd', priority: 1, payload: { n: 10 } },
        { id: 'e', priority: 2, payload: { n: 0 } },
      ])
      const orderBy: Order = [
        { path: ['priority'], direction: 'desc' },
        { path: ['payload', 'n'], direction: 'asc' },
      ]
      equal(ids((await walk(site, orderBy, 2)).flat()), ['b', 'e', 'a', 'd', 'c'], 'the jobs, page by page')
    },

    'each job has a cursor after which the next page begins': async (site) => {
      await site.addAll([{ id: 'one' }, { id: 'two' }, { id: 'three' }])
      await site.settled(async (storage) => {
        const request = { where: {}, orderBy: NEWEST, limit: 10, now: NOW }
        const { cursors } = await storage.list({ ...request, after: null })
        const after = cursors[1] ?? null
        equal(ids((await storage.list({ ...request, after })).jobs), ['one'], 'the jobs after the second')
      })
    },

    'an order that was read follows the jobs': async (site) => {
      const first: ListRequest = { where: {}, orderBy: by('finishedAt', 'desc'), limit: 1, after: null, now: NOW }
      await site.addAll([{ id: 'one' }, ...Array.from({ length: 30 }, () => ({})), { id: 'last' }])
      const storage = await site.handles.latest()
      equal(ids((await storage.list(first)).jobs), ['last'], 'the last enqueued')
      await site.settle(complete(await site.claimOne({ limit: 1 })))
      await site.settled(async (reader) => {
        equal(ids((await reader.list(first)).jobs), ['one'], 'the only one that ended')
        const completed = { ...first, where: { status: { eq: 'completed' } } }
        equal(ids((await reader.list(completed)).jobs), ['one'], 'the only one that completed')
      })
    },

    'few among many are found by what they have': async (site) => {
      const jobs = Array.from({ length: 40 }, (_, n) => ({
        id: `job ${n}`,
        priority: n,
        ...(n === 7 ? { queueName: 'q', jobKey: 'k' } : {}),
      }))
      await site.addAll(jobs)
      const conditions: readonly ListRequest['where'][] = [
        { priority: { gte: 7, lte: 7 } },
        { priority: { in: [7] } },
        { queueName: { eq: 'q' } },
        { jobKey: { eq: 'k' } },
        { id: { eq: 'job 7' } },
      ]
      await site.settled(async (storage) => {
        for (const where of conditions) {
          const request = { where, orderBy: by('id', 'asc'), limit: 1, after: null, now: NOW }
          equal(ids((await storage.list(request)).jobs), ['job 7'], `the job found by ${JSON.stringify(where)}`)
        }
      })
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

  ...(['createdAt', 'runAt', 'startedAt', 'finishedAt', 'priority'] satisfies FilterField[]).flatMap((field) =>
    area('list', {
      [`jobs can be ordered by ${field}, in pages`]: async (site) => {
        await disorder(site)
        const rising = ids((await walk(site, by(field, 'asc'), 2)).flat())
        const falling = ids((await walk(site, by(field, 'desc'), 2)).flat())
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

function by(field: FilterField, direction: ListOrder['direction']): Order {
  return [{ path: [field], direction }]
}

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
    equal(ids(jobs), expected, `the jobs by ${JSON.stringify(orderBy)}`)
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
