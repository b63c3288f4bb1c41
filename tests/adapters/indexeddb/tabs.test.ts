import { expect, test } from 'vitest'
import { WebLockPresence } from '../../../src/adapters/indexeddb/presence.ts'
import type { Log } from '../../../src/core/storage/log.ts'
import { LoggedStorage } from '../../../src/core/storage/logged-storage.ts'
import { defineJob, openQueue } from '../../../src/index.ts'
import { ManualClock, SharedLog } from '../../../src/testing/index.ts'
import { Stage } from '../../core/doubles.ts'
import { FakeOrigin, type FakeTab } from './fake-tabs.ts'

const task = defineJob({ type: 'task', leaseDuration: '30s', timeout: '7d' })

/** A log as a page has it: with presence, and deaf while the page stands still. */
function pageLog(tab: FakeTab, log: SharedLog, writer: string): Log {
  const inner = log.handle()
  const presence = new WebLockPresence({ database: 'jobs', writer, platform: tab })
  return {
    presence,
    open: async (replica) => {
      await inner.open(replica)
      await presence.open()
    },
    close: () => presence.close(),
    exchange: (turn, need, guess) => inner.exchange(turn, need, guess),
    watch: (listener) => inner.watch(() => tab.run(listener)),
  }
}

/** Tabs of one origin on one log, each with a time of its own: one that stands still has none. */
function origin() {
  const browser = new FakeOrigin()
  const log = new SharedLog()
  const clocks: ManualClock[] = []
  const open = async (locks = true) => {
    const clock = new ManualClock({ seed: clocks.push(new ManualClock()) })
    clocks[clocks.length - 1] = clock
    const tab = browser.tab(clock)
    if (!locks) delete tab.navigator.locks
    const storage = new LoggedStorage({
      name: 'page',
      traits: { durable: true, scope: 'origin', payload: 'json', transactions: false },
      log: pageLog(tab, log, `writer${clocks.length}`),
      writer: `writer${clocks.length}`,
    })
    const queue = await openQueue({ storage, environment: clock })
    const stage = new Stage()
    const executor = queue.createExecutor({ handlers: [task.handler(stage.run)], concurrency: 2 })
    await executor.start()
    /** It gets no time, and nothing it has asked for is answered. */
    const stop = () => clocks.splice(clocks.indexOf(clock), 1)
    const goOn = () => clocks.push(clock)
    return { tab, clock, queue, storage, stage, executor, stop, goOn }
  }
  /** Time passes in all tabs that have any. */
  const advance = async (span: number) => {
    for (let passed = 0; passed < span; passed += 250) for (const clock of [...clocks]) await clock.advance(250)
  }
  return { browser, open, advance }
}

/** Two tabs that know each other; the first runs the job `a`. */
async function twoTabs(locks = true) {
  const made = origin()
  const first = await made.open(locks)
  await first.queue.enqueue(task, null, { id: 'a' })
  await first.clock.settle()
  const second = await made.open(locks)
  await made.advance(1000)
  expect([first.stage.running, second.stage.running]).toEqual([['a'], []])
  return { ...made, first, second }
}

test('the job of a tab that crashes runs in another at once', async () => {
  const { first, second } = await twoTabs()
  first.stop()
  first.tab.die()
  await second.clock.settle()
  expect(second.stage.running).toEqual(['a'])
  expect(await second.queue.get('a')).toMatchObject({ interruptions: 1, attempts: 2 })
})

test('the job of a page that is frozen runs in another at once; when it goes on it finds its fences stale', async () => {
  const { first, second, advance } = await twoTabs()
  await first.tab.freeze()
  first.stop()
  await second.clock.settle()
  expect(second.stage.running).toEqual(['a'])
  await advance(3_600_000)
  const lost: string[] = []
  first.queue.on('lost', ({ job }) => lost.push(job.id))
  const [before] = (await second.storage.sessions()).map(({ id }) => id)

  first.clock.sleep('1h')
  first.goOn()
  first.tab.resume()
  await first.clock.settle()
  // By the beat that it makes at once, without a tick.
  expect([lost, first.stage.abortedFor('a')]).toEqual([['a'], 'HOLDFAST_LEASE_LOST'])
  first.stage.end('a', 'too late')
  second.stage.end('a', 'in time')
  await advance(250)
  expect(await first.queue.get('a')).toMatchObject({ status: 'completed', result: 'in time', attempts: 2 })

  // With a new session it goes on with new work, and its death can be proven again.
  await first.queue.enqueue(task, null, { id: 'b' })
  await advance(250)
  expect(first.stage.running).toEqual(['b'])
  const sessions = await second.storage.sessions()
  expect([sessions.length, sessions.filter(({ id }) => id === before).length]).toEqual([2, 1])
  await advance(11_000)
  first.stop()
  first.tab.die()
  await second.clock.settle()
  expect(second.stage.running).toEqual(['b'])
})

test('a page that stood still alone keeps its session and its job, under a new name', async () => {
  const { open, advance } = origin()
  const alone = await open()
  await alone.queue.enqueue(task, null, { id: 'a' })
  await advance(1000)
  await alone.tab.leave()
  alone.clock.sleep('1h')
  alone.tab.comeBack()
  await alone.clock.settle()
  // Whoever comes now must not take its old name for its death.
  const late = await open()
  await advance(11_000)
  expect([alone.stage.running, alone.stage.abortedFor('a'), late.stage.started]).toEqual([['a'], null, []])
  alone.stop()
  alone.tab.die()
  await late.clock.settle()
  expect(late.stage.running).toEqual(['a'])
})

test('a page that is closed may still write a last beat: its death is proven all the same', async () => {
  const { first, second } = await twoTabs()
  await first.tab.leave()
  first.stop()
  await second.clock.settle()
  expect(second.stage.running).toEqual(['a'])
})

test.each([
  ['a page that stands still without having been told', true],
  ['without Web Locks a tab that crashes', false],
])('%s loses its job by its lease, not before', async (_, locks) => {
  const { first, second, advance } = await twoTabs(locks)
  first.stop()
  if (locks) first.tab.stall()
  else first.tab.die()
  await advance(28_000)
  expect(second.stage.running).toEqual([])
  await advance(22_000)
  expect(second.stage.running).toEqual(['a'])
})

test.each([true, false])(
  'a hidden tab whose timers come once a minute keeps its job (Web Locks: %s)',
  async (locks) => {
    const { first, second, advance } = await twoTabs(locks)
    first.stop()
    first.clock.setHidden(true)
    await first.clock.settle()
    for (let minute = 0; minute < 30; minute++) {
      await advance(60_000)
      first.clock.sleep(59_999)
      await first.clock.advance(1)
    }
    expect([first.stage.running, first.stage.abortedFor('a'), second.stage.started]).toEqual([['a'], null, []])
  },
)

test('a hidden tab that falls silent is waited for 150 s', async () => {
  const { first, second, advance } = await twoTabs(false)
  first.stop()
  first.clock.setHidden(true)
  await first.clock.settle()
  await advance(149_000)
  expect(second.stage.started).toEqual([])
  await advance(22_000)
  expect(second.stage.running).toEqual(['a'])
})

test('a computer that sleeps takes nobody’s job, whoever wakes first', async () => {
  const { first, second, advance } = await twoTabs(false)
  for (let night = 0; night < 10; night++) {
    await advance(7000)
    for (const { clock } of [first, second]) clock.sleep('8h')
    // The one that looks is some seconds ahead of the one that beats.
    for (let second_ = 0; second_ < 20; second_++) await second.clock.advance('1s')
    await first.clock.advance('20s')
  }
  expect([first.stage.running, first.stage.abortedFor('a'), second.stage.started]).toEqual([['a'], null, []])
})
