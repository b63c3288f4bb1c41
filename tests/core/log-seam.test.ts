import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../src/core/errors.ts'
import type { Hint } from '../../src/core/storage/contract.ts'
import { EMPTY } from '../../src/core/storage/job-table/job-table.ts'
import type { Append, Log, LogRecord, LogReplica, Presence, Receipt, Tail } from '../../src/core/storage/log.ts'
import { LoggedStorage } from '../../src/core/storage/logged-storage.ts'
import { newJob } from '../../src/testing/index.ts'
import { NOW } from './kit-targets.ts'

type Turn = (tail: Tail) => Append | null
type Guess = () => Append | null | 'read first'
type Exchange = (turn: Turn, n: number, guess: Guess) => Promise<Receipt> | Receipt

const DONE: Receipt = { between: [] }

/** A log whose every exchange the test plays. */
class PlayedLog implements Log {
  readonly presence?: Presence
  exchanges = 0
  replica: LogReplica | null = null
  play: Exchange = (turn) => (turn({ records: [] }), DONE)

  constructor(presence?: Presence) {
    if (presence !== undefined) this.presence = presence
  }

  async open(replica: LogReplica): Promise<void> {
    this.replica = replica
    replica.catchUp({ snapshot: EMPTY, records: [] })
  }
  async close(): Promise<void> {
    this.replica = null
  }
  async exchange(turn: Turn, _need: unknown, guess: Guess): Promise<Receipt> {
    this.exchanges += 1
    return this.play(turn, this.exchanges, guess)
  }
  watch(): () => void {
    return () => undefined
  }
}

async function opened(log: PlayedLog): Promise<LoggedStorage> {
  const traits = { durable: true, scope: 'host', payload: 'json', transactions: false } as const
  const storage = new LoggedStorage({ name: 'played', traits, log, writer: 'me' })
  await storage.open()
  return storage
}

function enqueue(storage: LoggedStorage, id: string): Promise<unknown> {
  return storage.enqueue({ jobs: [newJob({ id })], now: NOW })
}

describe('a flush that is refused for what one of its calls brings', () => {
  async function refusing(id: string) {
    const log = new PlayedLog()
    const storage = await opened(log)
    const appended: (readonly string[])[] = []
    log.play = (turn) => {
      const ids =
        turn({ records: [] })
          ?.record?.units.flat()
          .map(({ key }) => key) ?? []
      if (ids.includes(id)) throw new HoldfastError('HOLDFAST_PAYLOAD_FORMAT', 'It cannot be stored')
      appended.push(ids)
      return DONE
    }
    return { storage, appended }
  }

  test('is tried again call by call: that one is refused, the others take effect', async () => {
    const { storage, appended } = await refusing('bad')
    const calls = ['a', 'b', 'bad', 'c'].map((id) => enqueue(storage, id))
    const later = calls[1]?.then(() => enqueue(storage, 'd'))
    const said = await Promise.allSettled([...calls, later])
    expect(said.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(said[2]).toMatchObject({ reason: { code: 'HOLDFAST_PAYLOAD_FORMAT' } })
    expect(appended).toEqual([['a'], ['b'], ['c'], ['d']])
    await Promise.all([enqueue(storage, 'e'), enqueue(storage, 'f')])
    expect(appended.at(-1)).toEqual(['e', 'f'])
  })

  test('with that call alone in it is not tried again', async () => {
    const { storage, appended } = await refusing('bad')
    await expect(enqueue(storage, 'bad')).rejects.toMatchObject({ code: 'HOLDFAST_PAYLOAD_FORMAT' })
    await enqueue(storage, 'a')
    expect(appended).toEqual([['a']])
  })
})

describe('an answer rests on durable records only', () => {
  test('a call that writes nothing still waits for what it read', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    await enqueue(storage, 'a')
    const appends: (Append | null)[] = []
    log.play = (turn) => (appends.push(turn({ records: [] })), DONE)
    await enqueue(storage, 'a')
    expect(appends).toEqual([{ record: null, durable: true }])
  })

  test('a claim does not: what it loses runs again', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
    const appends: (Append | null)[] = []
    log.play = (turn) => (appends.push(turn({ records: [] })), DONE)
    const lanes = [{ type: 'test' }]
    await storage.claim({ requestId: 'r', session: 's', now: NOW, limit: 1, lanes, have: [], suspects: 'none' })
    expect(appends).toEqual([null])
  })

  test('a call whose record turns up in a tail is answered when that exchange has ended', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    let lost: LogRecord | null = null
    let answered = false
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    log.play = async (turn, n) => {
      if (n === 2) {
        lost = turn({ records: [] })?.record ?? null
        throw new HoldfastError('HOLDFAST_OUTCOME_UNKNOWN', 'lost')
      }
      turn({ records: lost === null ? [] : [lost] })
      await gate
      expect(answered).toBe(false)
      return DONE
    }
    const call = enqueue(storage, 'a').then(() => (answered = true))
    while (log.exchanges < 3) await Promise.resolve()
    for (let at = 0; at < 20; at++) await Promise.resolve()
    expect(answered).toBe(false)
    release()
    await call
    expect(log.exchanges).toBe(3)
  })
})

describe('a read that has to see what others wrote', () => {
  test('waits for a flush that began after it, and not for the calls that follow', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    log.play = (turn, n) => {
      turn({ records: [] })
      if (n < 50) void enqueue(storage, `job ${n}`)
      return DONE
    }
    void enqueue(storage, 'first')
    while (log.exchanges < 3) await Promise.resolve()
    const before = log.exchanges
    await storage.definitions('automation')
    expect(log.exchanges - before).toBeLessThan(10)
    while (log.exchanges < 50) await Promise.resolve()
  })

  test('is not content with a flush that wrote first and read nothing', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    const guesses: unknown[] = []
    log.play = (turn, _n, guess) => {
      guesses.push(guess() === 'read first')
      turn({ records: [] })
      return DONE
    }
    await enqueue(storage, 'first')
    await Promise.all([enqueue(storage, 'second'), storage.definitions('automation')])
    expect(guesses).toEqual([false, true])
  })

  test('asks for no exchange where the log says that nothing came', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    const looks = [false, true]
    Object.assign(log, { isAhead: () => looks.shift() })
    const before = log.exchanges
    await storage.get(['nobody'])
    expect(log.exchanges - before).toBe(0)
    await storage.get(['nobody'])
    expect(log.exchanges - before).toBe(1)
  })
})

describe('a turn that could not be kept', () => {
  test('is taken back and decided anew, and the last counts', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    const records: (LogRecord | null)[] = []
    log.play = (turn) => {
      const first = turn({ records: [] })?.record ?? null
      log.replica?.catchUp({ records: [] })
      expect(log.replica?.snapshot().count).toBe(0)
      records.push(first, turn({ records: [] })?.record ?? null)
      return DONE
    }
    await enqueue(storage, 'a')
    expect(records.map((record) => record?.units[0]?.[0]?.key)).toEqual(['a', 'a'])
    expect(await storage.counts({ now: NOW })).toMatchObject({ pending: 1 })
  })

  test('when the log throws in it, the calls of that flush are told and the next goes on', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    log.play = (turn, n) => {
      if (n === 2) {
        const rows = {
          [Symbol.iterator]: (): never => {
            throw new Error('the disk cannot be read')
          },
        }
        turn({ snapshot: { ...EMPTY, rows }, records: [] })
      }
      turn({ records: [] })
      return DONE
    }
    await expect(enqueue(storage, 'a')).rejects.toThrow('the disk cannot be read')
    await enqueue(storage, 'b')
    expect((await storage.get(['a', 'b'])).map((job) => job?.id)).toEqual([undefined, 'b'])
  })
})

describe('records of newer code that come between a decision and its record', () => {
  const newer = { id: 'newer.1', format: 2, units: [] }

  test('leave nobody here to say what became of it', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    log.play = (turn) => (turn({ records: [] }), { between: [newer] })
    await expect(enqueue(storage, 'a')).rejects.toMatchObject({ code: 'HOLDFAST_OUTCOME_UNKNOWN' })
    await expect(enqueue(storage, 'a')).rejects.toMatchObject({
      code: 'HOLDFAST_STORAGE_NEWER',
      details: { field: 'format', value: 2 },
    })
    expect(await storage.get(['a'])).toEqual([null])
    expect(() => log.replica?.snapshot()).toThrow(expect.objectContaining({ code: 'HOLDFAST_STORAGE_NEWER' }))
  })

  test('also when the record turns up in a later tail', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    let lost: LogRecord | null = null
    log.play = (turn, n) => {
      if (n === 2) {
        lost = turn({ records: [] })?.record ?? null
        throw new HoldfastError('HOLDFAST_OUTCOME_UNKNOWN', 'lost')
      }
      turn({ records: lost === null ? [] : [newer, lost] })
      return DONE
    }
    await expect(enqueue(storage, 'a')).rejects.toMatchObject({ code: 'HOLDFAST_OUTCOME_UNKNOWN' })
  })
})

test('a flush is bounded, and calls keep their order over several', async () => {
  const log = new PlayedLog()
  const storage = await opened(log)
  const sizes: number[] = []
  log.play = (turn) => (sizes.push(turn({ records: [] })?.record?.units.length ?? 0), DONE)
  const ids = Array.from({ length: 5000 }, (_, index) => `job-${index}`)
  await Promise.all(ids.map((id) => enqueue(storage, id)))
  expect(sizes).toEqual([2000, 2000, 1000])
  const jobs = await storage.get(ids)
  expect(jobs.map((job) => job?.sequence)).toEqual(ids.map((_, index) => index + 1))
})

test('a call that is larger than a flush goes alone', async () => {
  const log = new PlayedLog()
  const storage = await opened(log)
  const before = log.exchanges
  await storage.enqueue({ jobs: Array.from({ length: 3000 }, (_, at) => newJob({ id: `job-${at}` })), now: NOW })
  expect(log.exchanges - before).toBe(1)
})

test('a log that has unfinished business gets another exchange, though nobody calls', async () => {
  const log = new PlayedLog()
  const storage = await opened(log)
  log.play = (turn, n) => (turn({ records: [] }), { between: [], unfinished: n === 2 })
  await enqueue(storage, 'a')
  for (let at = 0; at < 20; at++) await Promise.resolve()
  expect(log.exchanges).toBe(3)
})

describe('a hint that the log has grown, in the middle of a flush that has read it', () => {
  async function hinted(during: (n: number) => void) {
    const log = new PlayedLog()
    let grew = (): void => undefined
    log.watch = (listener?: () => void) => {
      grew = listener ?? grew
      return () => undefined
    }
    const storage = await opened(log)
    log.play = (turn, n) => {
      turn({ records: [] })
      if (n < 50) grew()
      during(n)
      return DONE
    }
    const flushed = async (): Promise<number> => {
      await enqueue(storage, 'a')
      for (let at = 0; at < 200; at++) await Promise.resolve()
      return log.exchanges
    }
    return { storage, log, flushed }
  }

  test('is followed by another, where somebody waits to be told', async () => {
    const { storage, flushed } = await hinted(() => undefined)
    storage.notifier.subscribe(() => undefined)
    expect(await flushed()).toBe(50)
  })

  test('waits for the next call where nobody does', async () => {
    const { flushed } = await hinted(() => undefined)
    expect(await flushed()).toBe(2)
  })

  test('is not followed without end where the log cannot be read', async () => {
    const { storage, log, flushed } = await hinted(() => undefined)
    storage.notifier.subscribe(() => undefined)
    const { play } = log
    log.play = (turn, n, guess) => {
      if (n > 2) throw new HoldfastError('HOLDFAST_STORAGE', 'It cannot be read')
      return play(turn, n, guess)
    }
    expect(await flushed()).toBe(3)
  })
})

test('sessions carry the process that opened them, and one that is over is shown and told', async () => {
  const dead = new Set<unknown>()
  let tell: () => void = () => undefined
  const presence: Presence = {
    self: { socket: 'mine' },
    isOver: (process) => dead.has((process as { socket: string }).socket),
    watch: (_, found) => {
      tell = found
      return () => undefined
    },
  }
  const storage = await opened(new PlayedLog(presence))
  const hints: Hint[] = []
  storage.notifier.subscribe((hint) => hints.push(hint))
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  expect((await storage.sessions())[0]).not.toHaveProperty('ended')
  dead.add('mine')
  tell()
  expect((await storage.sessions())[0]).toMatchObject({ id: 's', ended: true })
  expect(hints.at(-1)).toMatchObject({ ended: true })
})

/** A storage whose process has the name that the test gives it, and the records that it appends. */
async function named(first: unknown) {
  const own = { name: first }
  const presence: Presence = {
    get self() {
      return own.name
    },
    isOver: (process) => process === 'over',
    watch: () => () => undefined,
  }
  const log = new PlayedLog(presence)
  const storage = await opened(log)
  const written: unknown[] = []
  log.play = (turn) => {
    for (const { table, to } of turn({ records: [] })?.record?.units.flat() ?? [])
      if (table === 'sessions') written.push(to?.['process'])
    return DONE
  }
  const beat = () => storage.beat({ session: 's', now: NOW, holds: [], claiming: [], progress: [] })
  await storage.session({ open: 's', leaseDuration: 30_000, now: NOW })
  return { own, storage, written, beat }
}

test('a beat carries the name that the process has now, and writes it only when it has changed', async () => {
  const { own, storage, written, beat } = await named({ socket: 'first' })
  own.name = { socket: 'first' }
  await beat()
  own.name = 'over'
  await beat()
  expect((await storage.sessions())[0]).toMatchObject({ ended: true })
  own.name = 'second'
  await beat()
  await beat()
  expect(written).toEqual([{ socket: 'first' }, undefined, 'over', 'second', undefined])
  expect((await storage.sessions())[0]).not.toHaveProperty('ended')
})

test('a process that has no name for now takes the old one out of its session, for that proves nothing', async () => {
  const { own, storage, written, beat } = await named('over')
  expect((await storage.sessions())[0]).toMatchObject({ ended: true })
  own.name = undefined
  await beat()
  await beat()
  expect(written).toEqual(['over', null, undefined])
  expect((await storage.sessions())[0]).not.toHaveProperty('ended')
})

test('a process that never has a name writes none', async () => {
  const { written, beat } = await named(undefined)
  await beat()
  expect(written).toEqual([undefined, undefined])
})

test('what a process wrote last is read before its sessions are shown as over', async () => {
  let tell: () => void = () => undefined
  const presence: Presence = {
    self: 'mine',
    isOver: () => true,
    watch: (_, found) => {
      tell = found
      return () => undefined
    },
  }
  const log = new PlayedLog(presence)
  const storage = await opened(log)
  const units = [
    [{ table: 'sessions', key: 'dead', expect: 0, version: 1, to: { beats: 1, process: 'dead' } }],
  ] as const
  // Nothing told that the log had grown.
  log.play = (turn) => (turn({ records: [{ id: 'r', format: 1, units }] }), DONE)
  expect(await storage.sessions()).toEqual([])
  tell()
  expect(await storage.sessions()).toMatchObject([{ id: 'dead', beats: 1, ended: true }])
})

describe('a log where the answer was lost', () => {
  const lost = (): never => {
    throw new HoldfastError('HOLDFAST_OUTCOME_UNKNOWN', 'lost')
  }

  test('a record that turns up behind a new snapshot answers its call', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    let record: LogRecord | null = null
    log.play = (turn) => {
      if (record !== null) return turn({ snapshot: EMPTY, records: [record] }), DONE
      record = turn({ records: [] })?.record ?? null
      return lost()
    }
    await enqueue(storage, 'a')
    expect(await storage.get(['a'])).toMatchObject([{ id: 'a' }])
  })

  test('a record that is not in the first part of a tail may come in the next', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    await enqueue(storage, 'a')
    let record: LogRecord | null = null
    log.play = (turn) => {
      if (record === null) {
        record = turn({ records: [] })?.record ?? null
        return lost()
      }
      log.replica?.catchUp({ records: [{ id: 'other', format: 1, units: [] }], hasMore: true })
      turn({ records: [record] })
      return DONE
    }
    // Decided anew, it would find nothing to remove.
    expect(await storage.amend({ batch: [{ kind: 'remove', id: 'a' }], now: NOW })).toMatchObject([{ verdict: 'ok' }])
  })

  test('what must be read first is not guessed', async () => {
    const log = new PlayedLog()
    const storage = await opened(log)
    await enqueue(storage, 'a')
    let record: LogRecord | null = null
    const guesses: unknown[] = []
    log.play = (turn, _n, guess) => {
      if (record === null) {
        record = turn({ records: [] })?.record ?? null
        return lost()
      }
      guesses.push(guess())
      turn({ records: [record] })
      return DONE
    }
    expect(await storage.amend({ batch: [{ kind: 'remove', id: 'a' }], now: NOW })).toMatchObject([{ verdict: 'ok' }])
    expect(guesses).toEqual(['read first'])
  })
})
