// What `npm run torture` rests on: a reader of the journal and a checker that find what they are for. Then 15 s of it.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Ack, acksIn } from '../../torture/acknowledgements.mjs'
import { tortureOptions, UsageError } from '../../torture/arguments.mjs'
import { check, type Findings } from '../../torture/checker.mjs'
import { lineBytes, readSegment } from '../../torture/journal-lines.mjs'
import { replay } from '../../torture/replay.mjs'
import { missingIn, verdictOn } from '../../torture/verdict.mjs'

type Change = Record<string, unknown>

const created = (id: string): Change => ({ table: 'jobs', key: id, expect: 0, version: 1, to: { payload: id } })
const claimed = (id: string, expect: number, fence: number): Change => ({
  table: 'jobs',
  key: id,
  expect,
  to: { state: 'running', fence, session: 's' },
})
const ended = (id: string, expect: number, state = 'completed'): Change => ({
  table: 'jobs',
  key: id,
  expect,
  to: { state, session: null },
})
/** Two jobs alike, both claimed. */
const twoRunning = (fields: Change): typeof goodSegments =>
  withLines(
    ...['a', 'b'].map((id) => record([createdWith(id, fields)])),
    record([claimed('a', 1, 1)], [claimed('b', 1, 1)]),
  )
const createdWith = (id: string, fields: Change): Change => ({ ...created(id), to: { payload: id, ...fields } })
const removed = (id: string, expect: number): Change => ({ table: 'jobs', key: id, expect, to: null })

let records = 0
const record = (...units: Change[][]): object => ({ kind: 'record', id: `w.${++records}`, format: 1, units })

/** A row as a snapshot holds it. */
const row = (key: string, fields: Change): unknown[] => ['jobs', key, { payload: key, ...fields }]

/** A segment with a snapshot of `rows` and then `lines`; a text stands for debris. */
function segment(number: number, rows: unknown[][], lines: (object | string)[]): { number: number; bytes: Buffer } {
  const snapshot = [
    { kind: 'begin', format: 1, segment: number },
    ...(rows.length > 0 ? [{ kind: 'rows', rows }] : []),
    { kind: 'end', count: rows.length },
  ]
  return {
    number,
    bytes: Buffer.concat(
      [...snapshot, ...lines].map((line) => (typeof line === 'string' ? Buffer.from(line) : lineBytes(line))),
    ),
  }
}

const asked = (id: string): Ack => ({ kind: 'asked', id })
const enqueued = (id: string): Ack => ({ kind: 'enqueued', id })
const started = (id: string, fence: number): Ack => ({ kind: 'started', id, fence })
const completed = (id: string, fence: number): Ack => ({ kind: 'completed', id, fence })

/** Two jobs over a roll, one of them taken back once: nothing is wrong with it. */
const goodAcks = [
  ...[asked('a'), asked('b'), enqueued('a'), enqueued('b')],
  ...[started('a', 1), started('b', 1), started('b', 2), completed('a', 1), completed('b', 2)],
]
const goodSegments = [
  segment(
    1,
    [],
    [
      record([created('a')], [created('b')]),
      record([claimed('a', 1, 1), claimed('b', 1, 1)]),
      '\n1234abcd {"kind":"rec',
      record([ended('a', 2)]),
      { kind: 'seal' },
      record([ended('b', 2)]),
    ],
  ),
  segment(
    2,
    [
      row('a', { version: 3, state: 'completed', fence: 1, session: null, priority: 1 }),
      row('b', { version: 2, state: 'running', fence: 1, session: 's', priority: 1 }),
    ],
    [
      record([ended('b', 2, 'waiting')]),
      record([ended('b', 2)]),
      record([claimed('b', 3, 2)]),
      record([ended('b', 4)], [removed('a', 3)]),
    ],
  ),
]

function findings(acks: readonly Ack[] = goodAcks, segments = goodSegments): Findings {
  return check({ acks, journal: replay(segments) })
}

const broken = (found: Findings): string[] =>
  Object.entries(found).flatMap(([rule, cases]: [string, string[]]) => (cases.length > 0 ? [rule] : []))

/** The good journal with one segment's lines replaced. */
function withLines(...lines: (object | string)[]): typeof goodSegments {
  return [segment(1, [], lines)]
}

describe('the reader of the journal', () => {
  test('tells what happened to each job, in order', () => {
    const { events } = replay(goodSegments)
    expect(events.filter(({ id }) => id === 'b').map(({ kind, fence, state }) => [kind, fence, state])).toEqual([
      ['created', 0, 'waiting'],
      ['claimed', 1, 'running'],
      ['ended', 1, 'waiting'],
      ['claimed', 2, 'running'],
      ['ended', 2, 'completed'],
    ])
  })

  test('counts damaged lines, void units and what comes behind a seal', () => {
    expect(replay(goodSegments)).toMatchObject({ damaged: 1, voidUnits: 1, late: 1, seals: 1, records: 7 })
  })

  test('takes a record in parts where its commit stands, and not when a seal or nothing does', () => {
    const whole = JSON.stringify(record([created('a')]))
    const part = (index: number): object => ({
      kind: 'part',
      id: 'x',
      index,
      text: whole.slice(index * 40, index * 40 + 40),
    })
    const count = Math.ceil(whole.length / 40)
    const parts = Array.from({ length: count }, (_, index) => part(index))
    const commit = { kind: 'commit', id: 'x', parts: count }
    const jobsIn = (...lines: object[]): number => replay(withLines(...lines)).events.length
    expect(jobsIn(...parts, record([created('b')]), commit)).toBe(2)
    expect(jobsIn(...parts)).toBe(0)
    expect(jobsIn(...parts, { kind: 'seal' }, commit)).toBe(0)
    expect(jobsIn(...parts.slice(1), commit)).toBe(0)
  })

  test('takes a record once in its segment, however often it stands there', () => {
    const twice = record([created('a')])
    const { events, repeated } = replay(withLines(twice, record([removed('a', 1)]), twice))
    expect(events.map(({ kind }) => kind)).toEqual(['created', 'removed'])
    expect(repeated).toBe(1)
  })

  test('takes nothing from a line with one wrong bit, and reads on behind it', () => {
    const bytes = Buffer.concat([lineBytes({ kind: 'end', count: 0 }), lineBytes({ kind: 'seal' })])
    bytes[12] = (bytes[12] ?? 0) ^ 1
    expect(readSegment(bytes)).toMatchObject({ damaged: 1, sealed: true })
  })

  test('takes a line that was cut behind its sum for damage, whatever the sum', () => {
    expect(readSegment(Buffer.from('\n00000000 \n00000000\n\n1'))).toMatchObject({ damaged: 3 })
  })

  test('an unknown kind of line is not passed over', () => {
    expect(() => replay(withLines({ kind: 'rumour' }))).toThrow('rumour')
  })

  test('an acknowledgement that a kill cut short says nothing', () => {
    expect(acksIn('{"kind":"asked","id":"a"}\n{"kind":"enq')).toEqual([asked('a')])
  })
})

describe('the checker', () => {
  test('finds nothing wrong with a history that is right', () => {
    expect(broken(findings())).toEqual([])
  })

  test('allows two of one tenant at a time, one of a serial queue after the other, and a key that moves on', () => {
    const segments = withLines(
      record([createdWith('a', { limitKey: 't', type: 'limited', queueName: 'q', jobKey: 'k', serial: 'strict' })]),
      record([createdWith('b', { limitKey: 't', type: 'limited' })]),
      record([claimed('a', 1, 1), claimed('b', 1, 1)]),
      record([ended('a', 2)]),
      record([createdWith('c', { queueName: 'q', jobKey: 'k' })]),
      record([claimed('c', 1, 1)]),
      record([ended('b', 2)], [ended('c', 2)]),
    )
    expect(broken(findings(['a', 'b', 'c'].map(asked), segments))).toEqual([])
  })

  test('takes no job for lost that a newer one with its key kept from being retried', () => {
    const failed = { ...ended('a', 2, 'failed'), to: { state: 'failed', session: null, superseded: true } }
    const segments = withLines(record([created('a')]), record([claimed('a', 1, 1)]), record([failed]))
    expect(broken(findings([asked('a'), enqueued('a')], segments))).toEqual([])
  })

  const one = [asked('a'), enqueued('a')]
  test.each<[string, keyof Findings, Ack[], typeof goodSegments]>([
    ['an acknowledged job that is not in the journal', 'lost', [...goodAcks, asked('c'), enqueued('c')], goodSegments],
    ['an acknowledged job that still waits', 'lost', one, withLines(record([created('a')]))],
    [
      'an acknowledged job that runs for ever',
      'lost',
      one,
      withLines(record([created('a')]), record([claimed('a', 1, 1)])),
    ],
    [
      'an acknowledged job whose record came behind a seal',
      'lost',
      one,
      withLines({ kind: 'seal' }, record([created('a')]), record([claimed('a', 1, 1)]), record([ended('a', 2)])),
    ],
    [
      'a chained job that was acknowledged with its parent and never stored',
      'lost',
      [...goodAcks.slice(0, -1), { ...completed('b', 2), chained: 'b+' }, asked('b+')],
      goodSegments,
    ],
    [
      'two processes told that the same job is completed',
      'acceptedTwice',
      [...goodAcks, completed('b', 1)],
      goodSegments,
    ],
    [
      'a job that completes again after a requeue',
      'acceptedTwice',
      one,
      withLines(
        record([created('a')]),
        record([claimed('a', 1, 1)]),
        record([ended('a', 2)]),
        record([claimed('a', 3, 2)]),
        record([ended('a', 4)]),
      ),
    ],
    [
      'a completed job that was removed and is made again',
      'acceptedTwice',
      one,
      withLines(
        record([created('a')]),
        record([claimed('a', 1, 1)]),
        record([ended('a', 2)]),
        record([removed('a', 3)]),
        record([created('a')]),
      ),
    ],
    ['two handlers started under one fence', 'fenceReused', [...goodAcks, started('b', 2)], goodSegments],
    [
      'a claim with a fence that a claim before it had',
      'fenceReused',
      one,
      withLines(
        record([created('a')]),
        record([claimed('a', 1, 7)]),
        record([ended('a', 2, 'waiting')]),
        record([claimed('a', 3, 7)]),
        record([ended('a', 4)]),
      ),
    ],
    [
      'a claim of a job that is running',
      'overlapping',
      one,
      withLines(
        record([created('a')]),
        record([claimed('a', 1, 1)]),
        record([claimed('a', 2, 2)]),
        record([ended('a', 3)]),
      ),
    ],
    ['a job that nobody asked for', 'unasked', goodAcks.slice(1), goodSegments],
    ['a start that the journal knows nothing of', 'unrecorded', [...goodAcks, started('a', 9)], goodSegments],
    [
      'a completion that the journal knows nothing of',
      'unrecorded',
      [...goodAcks.slice(0, -1), completed('b', 3)],
      goodSegments,
    ],
    [
      'a payload that came back different',
      'spoiled',
      [...goodAcks, { kind: 'spoiled', id: 'a', text: 'b' }],
      goodSegments,
    ],
    [
      'a job that ended failed',
      'failed',
      one,
      withLines(record([created('a')]), record([claimed('a', 1, 1)]), record([ended('a', 2, 'failed')])),
    ],
    ['two of one serial queue that run', 'crowded', [], twoRunning({ queueName: 'q' })],
    ['two that hold one key', 'keyShared', [], twoRunning({ jobKey: 'k' })],
    [
      'three of one tenant that run, where two may',
      'aboveLimit',
      [],
      withLines(
        ...['a', 'b', 'c'].flatMap((id) => [
          record([createdWith(id, { type: 'limited', limitKey: 't' })]),
          record([claimed(id, 1, 1)]),
        ]),
      ),
    ],
    [
      'a job that starts while a strict one keeps its place',
      'overtaken',
      [],
      withLines(
        record([createdWith('a', { queueName: 'q', serial: 'strict' })], [createdWith('b', { queueName: 'q' })]),
        record([claimed('a', 1, 1)]),
        record([ended('a', 2, 'waiting')]),
        record([claimed('b', 1, 1)]),
      ),
    ],
    ['a segment that nobody saw', 'forked', goodAcks, [...goodSegments, segment(4, [], [])]],
    [
      'a segment that was retired before it was read',
      'forked',
      goodAcks,
      [...goodSegments, { number: 3, bytes: lineBytes({ kind: 'tombstone' }) }],
    ],
    [
      'a snapshot that is cut short',
      'forked',
      goodAcks,
      [...goodSegments, { number: 3, bytes: lineBytes({ kind: 'begin', segment: 3 }) }],
    ],
    ['a snapshot that lacks a job', 'forked', goodAcks, [goodSegments[0], segment(2, [], [])] as typeof goodSegments],
    [
      'a snapshot with a job that was not in the log',
      'forked',
      [],
      [segment(1, [], []), segment(2, [row('x', { version: 1 })], [])],
    ],
    [
      'a snapshot that says more of a job than the log',
      'forked',
      [asked('a')],
      [segment(1, [], [record([created('a')])]), segment(2, [row('a', { version: 1, fence: 1 })], [])],
    ],
    [
      'a snapshot that says something else of a job',
      'forked',
      [asked('a')],
      [segment(1, [], [record([created('a')])]), segment(2, [row('a', { version: 1, payload: 'other' })], [])],
    ],
  ])('finds %s', (_, rule, acks, segments) => {
    expect(broken(findings(acks, segments))).toContain(rule)
  })
})

test('a unit falls with the one of its record that it builds on, whatever the versions say', () => {
  const late = record([claimed('a', 1, 2)], [ended('a', 2)])
  const log = segment(1, [], [record([created('a')]), record([claimed('a', 1, 1)]), late])
  expect(replay([log]).voidUnits).toBe(2)
})

describe('torture', () => {
  test('its arguments have defaults, and a wrong one is told', () => {
    expect(tortureOptions(['--seed', '7'])).toEqual({ seconds: 60, processes: 8, seed: 7, rollAt: 16_384 })
    expect(tortureOptions(['--roll-at', '1', '--seconds=2', '--processes=3'])).toMatchObject({
      rollAt: 1,
      processes: 3,
    })
    expect(tortureOptions(['--help'])).toBeNull()
    for (const args of [['--seconds', '0'], ['--processes', 'x'], ['--seed=-1'], ['--rolls'], ['more']])
      expect(() => tortureOptions(args)).toThrow(UsageError)
  })

  test('a run in which something did not happen that had the time for it has shown nothing', () => {
    const happened = { kills: 1, pauses: 1, tears: 1, rolls: 1, enqueued: 1, completed: 1 }
    expect(missingIn(happened)).toEqual([])
    for (const deed of Object.keys(happened)) expect(missingIn({ ...happened, [deed]: 0 })).toHaveLength(1)
    const missing = missingIn({ ...happened, rolls: 0, kills: 0 })
    expect(missing).toEqual(['no kill', expect.stringContaining('no roll')])
    expect(verdictOn({ seconds: 60, wrong: 0, missing: [] })).toBe('held')
    expect(verdictOn({ seconds: 60, wrong: 0, missing })).toBe('nothing shown')
    expect(verdictOn({ seconds: 1, wrong: 0, missing })).toBe('too short')
    expect(verdictOn({ seconds: 60, wrong: 1, missing })).toBe('broken')
  })

  test('15 s of it hold, and a job that kills its process each time ends after 4 starts', async () => {
    const program = fileURLToPath(new URL('../../torture/main.mjs', import.meta.url))
    const args = [program, '--seconds', '15', '--processes', '8']
    const run = promisify(execFile)(process.execPath, args)
    const ended = run.catch((error: unknown) => {
      throw new Error(String((error as { stdout?: unknown }).stdout), { cause: error })
    })
    // Segments come and go while whoever keeps and checks them stands still, as part of a machine may at any moment.
    await Promise.race([ended, sleep(3000)])
    run.child.kill('SIGSTOP')
    await sleep(2000)
    run.child.kill('SIGCONT')
    const { stdout } = await ended
    expect(stdout).toContain('All of it held.')
    // Each of these happened, or nothing was shown.
    for (const deed of ['kills', 'pauses', 'torn writes', 'rolls'])
      expect(stdout).toMatch(new RegExp(`│ ${deed} +│ [1-9]`))
    expect(stdout).toContain('4 starts, then failed: worker died')
  }, 300_000)
})
