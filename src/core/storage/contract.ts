/* eslint-disable max-lines -- types only, and read as one text */
/**
 * The contract between holdfast's core and a storage: operations in domain words, plain structured-cloneable
 * data in and out, `now` always passed in. The core owns policy (backoff, attempts, retention) and hands a storage
 * finished numbers; a storage owns atomicity and durability. Every operation that changes something takes a batch,
 * answers per item and in order, and may be repeated after an unknown outcome (a dead connection, a crash).
 *
 * Each comment ends with the conformance cases that prove it: `[area]` names a file of `testing/conformance`.
 */

/**
 * A JSON value. As the payload of a job, where the storage's trait `payload` is `structured-clone` also Date, Map, ArrayBuffer, its
 * views, Blob and File, anywhere in it. [payload] [structured]
 */
export type Payload = unknown

/** `waiting` covers the public statuses `pending` and `scheduled`, which only the clock tells apart. */
export type StoredState = 'waiting' | 'running' | 'completed' | 'failed' | 'cancelled'

/** The states a job never leaves by itself. */
export type FinishedState = 'completed' | 'failed' | 'cancelled'

/**
 * What became of one write by an attempt. `ok`: it counts (also when it is the repeat of a write that counts).
 * `stale`: the attempt no longer holds the job, nothing changed. `missing`: there is no such job.
 */
export type Verdict = 'ok' | 'stale' | 'missing'

/** How an attempt ended. `released` gives the attempt back: it counts as nothing. */
export type AttemptOutcome = 'completed' | 'failed' | 'interrupted' | 'cancelled' | 'released'

/** An error as data: what survives a thread, a page and a storage. `message` and `stack` are bounded by the core. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: ErrorData
}

/** One ended attempt. Released attempts are not kept. */
export interface AttemptRecord {
  readonly attempt: number
  readonly fence: number
  readonly startedAt: number
  readonly endedAt: number
  readonly outcome: Exclude<AttemptOutcome, 'released'>
  readonly error?: ErrorData
}

/** A backoff policy as data. `null` in a job means the default: 5 s × 5^(n−1). Spans in ms. See `core/backoff.ts`. */
export type BackoffPolicy =
  | {
      readonly kind: 'exponential'
      readonly base: number
      readonly factor: number
      readonly max: number
      readonly jitter: number
    }
  | { readonly kind: 'fixed'; readonly delay: number; readonly jitter: number }
  | { readonly kind: 'graphile' }

/**
 * What a job that was started and waits again (for its retry, a snooze, given back) means to its serial queue. `strict`:
 * it keeps its place, and no other job of the queue starts until it has ended. `relaxed`: the next may go. [strict]
 */
export type SerialMode = 'relaxed' | 'strict'

export type JobKeyMode = 'replace' | 'preserveRunAt' | 'unsafeDedupe'

/** A job as stored. Moments are epoch ms, spans are ms. */
export interface JobRecord {
  readonly id: string
  /** Place in the order of enqueues; assigned by the storage, unique, rising. */
  readonly sequence: number
  readonly type: string
  readonly payload: Payload
  /** Version of the payload's shape, from 1. A record without it is of version 1. [versions] */
  readonly payloadVersion: number
  readonly priority: number
  readonly state: StoredState
  /** Claims that were not given back. */
  readonly attempts: number
  /** Attempts that threw or timed out. */
  readonly failures: number
  /** Attempts whose session fell silent or ended. */
  readonly interruptions: number
  /** Attempts, one after the other up to now, that were given back since they did not reach what they need. [unreached] */
  readonly unreached: number
  readonly maxRetries: number
  readonly maxInterruptions: number
  readonly createdAt: number
  readonly runAt: number
  /**
   * `null`: due at once, whatever a clock says. A number: due at `runAt`, and never more than this many ms after a
   * reader saw the job, so that a clock that was wrong when `runAt` was computed cannot park it. `Infinity` is not a
   * value here: a moment given by the user is stored with `delay` -1, meaning `runAt` alone counts.
   */
  readonly delay: number | null
  /** How long it may take to come to its end, ms, from when it is first due; `null`: for ever. [expiry] */
  readonly expireAfter: number | null
  /**
   * From here on it is not claimed any more, and an `expire` ends it. A running attempt is not cut off. `null` as
   * `expireAfter`. [expiry]
   */
  readonly expireAt: number | null
  readonly startedAt: number | null
  readonly finishedAt: number | null
  readonly timeout: number
  readonly leaseDuration: number
  /** Rises at every claim of this job and is never reused. 0 before the first. */
  readonly fence: number
  /** The session that holds the job while it runs. */
  readonly session: string | null
  /** The claim request that started the running attempt. */
  readonly claimId: string | null
  /** Outcome of the latest ended attempt, so that a repeated settle is recognised. */
  readonly outcome: AttemptOutcome | null
  readonly jobKey: string | null
  /** The job lost its key to a newer one, or its key was removed, while it ran: it finishes, but is not retried. */
  readonly superseded: boolean
  readonly queueName: string | null
  readonly serial: SerialMode
  /** Key of its limit group, computed at enqueue; `null` when the definition had no limit. */
  readonly limitKey: string | null
  /** The groups that count this running job, and the serial queue in which a waiting one keeps its place. */
  readonly groups: readonly string[]
  readonly requires: readonly string[]
  readonly backoff: BackoffPolicy | null
  readonly cancelRequested: string | null
  /** How many automations in a row led to it. */
  readonly depth: number
  /** No schema has seen the payload: it is checked before the handler sees it. */
  readonly unchecked: boolean
  /** JSON, as the result. */
  readonly progress: Payload
  readonly result: Payload
  readonly error: ErrorData | null
  /** The latest ended attempts, oldest first, at most 10. */
  readonly history: readonly AttemptRecord[]
  /** Rises when an enqueue with the job's key touches it. */
  readonly revision: number
  /**
   * Digest of the type and payload that the call with this id gave, kept once another call has replaced them; `null`
   * before. Each storage makes digests its own way. [keys]
   */
  readonly digest: number | null
  /** The latest enqueues (at most 16) that were folded into this job by its key; repeats of them do nothing. */
  readonly absorbed: readonly AbsorbedEnqueue[]
}

/** A call that made no job of its own. */
export interface AbsorbedEnqueue {
  readonly id: string
  /** Of its type and payload: the same id with others is a conflict. `null` while they are those of the job. */
  readonly digest: number | null
}

/** Bytes of a payload: as JSON text, bytes themselves and Blobs counted as nothing, and those of its binary parts. */
export interface PayloadSize {
  readonly json: number
  readonly binary: number
}

/** A job to be stored, all defaults filled in by the core. */
export interface NewJob {
  readonly id: string
  readonly type: string
  readonly payload: Payload
  readonly payloadVersion: number
  readonly priority: number
  readonly maxRetries: number
  readonly maxInterruptions: number
  readonly createdAt: number
  readonly runAt: number
  readonly delay: number | null
  /**
   * The storage makes the moment of it: this long after the latest of `createdAt`, `runAt` and the last beat of any
   * session, so that a clock that is behind lets no job expire before its time. [expiry]
   */
  readonly expireAfter: number | null
  readonly timeout: number
  readonly leaseDuration: number
  readonly jobKey: string | null
  readonly jobKeyMode: JobKeyMode
  readonly queueName: string | null
  readonly serial: SerialMode
  readonly limitKey: string | null
  readonly requires: readonly string[]
  readonly backoff: BackoffPolicy | null
  readonly depth: number
  /** Default false. [versions] */
  readonly unchecked?: boolean
  /**
   * What the list may come to that it makes with the holder's, in bytes. Where that would be more, the holder is left as
   * it is and loses the key, as one that runs does. Absent: no bound. Not stored. [keys] [structured]
   */
  readonly joinedAtMost?: PayloadSize
  /** It never waits: it is stored as `failed` with this error, at `createdAt`. [enqueue] */
  readonly failed?: ErrorData
}

export interface StorageTraits {
  /** Whether an acknowledged write survives the end of the process. */
  readonly durable: boolean
  /** Who can open the same jobs: this instance only, all pages of an origin, all processes of a host, a network. */
  readonly scope: 'instance' | 'origin' | 'host' | 'network'
  /** What the payloads of jobs may hold. Everything else is JSON. */
  readonly payload: 'json' | 'structured-clone'
  /** `false`: no Blobs and Files, whatever `payload` says: some windows of some browsers keep none. */
  readonly blobs?: boolean
  /** Whether an enqueue can join a transaction of the application. */
  readonly transactions: boolean
}

/** One job's visible change. Hints are lossy: polling alone is correct. */
export interface JobChange {
  readonly id: string
  readonly type: string
  readonly kind: 'enqueued' | 'started' | 'waiting' | 'removed' | 'updated' | FinishedState
}

export interface Hint {
  /** Types of which a job may have become claimable. */
  readonly ready: readonly string[]
  readonly changes: readonly JobChange[]
  /** Changes were missed: a listener that keeps a picture must read again. */
  readonly gap: boolean
  /** A session was found to have ended without a word: a reaper has something to do. */
  readonly ended?: boolean
}

/** Signals of a storage that several handles share. */
export interface Notifier {
  /** Returns the function that ends the subscription. The listener must not throw. */
  subscribe(listener: (hint: Hint) => void): () => void
}

// --- requests and answers -----------------------------------------------------------------------------------------

export type SessionRequest =
  | {
      readonly open: string
      /** How long the session may be silent (ms) before a reaper clears it, if it holds nothing: it beats more often. */
      readonly leaseDuration: number
      readonly now: number
      /** As with a beat: a session may be opened in a page that is hidden already. */
      readonly patience?: number
      /** How others find out whether the process lives, where the storage can tell. Set by the storage itself. */
      readonly process?: unknown
    }
  | {
      readonly close: string
      readonly now: number
      /** Only if the session still shows these beats: how the reaper clears a silent one that holds nothing. */
      readonly when?: { readonly beats: number }
    }

export interface SessionRecord {
  readonly id: string
  /** How often it has beaten. Whoever sees the same number for a lease knows that it is silent. */
  readonly beats: number
  /** As given when it was opened, ms. [session] */
  readonly leaseDuration: number
  /** As its latest beat said, ms: a reaper waits that long for it where a lease is shorter. 0: leases alone count. [session] */
  readonly patience: number
  readonly openedAt: number
  readonly lastBeat: number
  readonly epoch: number
  /** The storage has proof that the session is over: its jobs need not wait for a lease. */
  readonly ended?: true
}

/** What a handle holds of the storage, for people. */
export interface StorageDump {
  /** The newest that it read or wrote, oldest first; it begins with what it read when it was opened. */
  readonly records: readonly DumpedRecord[]
  /** How many rows stand in each table: what the log comes to. */
  readonly rows: Readonly<Record<string, number>>
}

/** What one flush wrote. */
export interface DumpedRecord {
  readonly id: string
  readonly format: number
  /** How many rows it changes. */
  readonly changes: number
  /** The first ten of them or so, by units as they are stored; see `Unit`. A unit whose rows had moved on changed nothing. */
  readonly units: readonly unknown[]
}

/** How a storage is. */
export interface StorageHealth {
  /**
   * `degraded`: it works, and something is wrong with it: what it acknowledges does not survive the end of the process,
   * though that was asked for (`HOLDFAST_STORAGE_UNAVAILABLE`), what it no longer needs cannot be taken away, so that it
   * grows (`HOLDFAST_STORAGE_GROWS`), or it holds more than a tab should keep in memory (`HOLDFAST_MANY_JOBS`).
   * `read-only`: a newer version of the package writes here. `failing`: `cause` keeps it from taking writes now, or new
   * work where `cause` is `HOLDFAST_STORAGE_FULL`.
   */
  readonly state: 'ok' | 'degraded' | 'read-only' | 'failing'
  /** Why it is not `ok`. */
  readonly cause: Error | null
  /** Records that could not be read since the storage was opened; they were set aside, the rest works. */
  readonly damaged: number
  /** Jobs in the table of this handle: each costs memory, about 0.6 kB and its payload. */
  readonly jobs: number
  /** The platform does not make writes as durable as was asked: a power cut may take the latest ones back. */
  readonly weaker: boolean
  /**
   * How often the data was found to be gone, or another's, since the storage was opened: somebody cleared it. 1 right after
   * opening: the browser says that it lost what was there before.
   */
  readonly resets: number
}

/** What the platform says of the place where the jobs are. `null`: it cannot tell. */
export interface StorageStatus {
  /** Whether the browser will keep the data when it needs space. */
  readonly persisted: boolean | null
  /** Bytes, roughly, of all that the origin stores. */
  readonly usage: number | null
  /** Bytes, roughly, that the origin may store. */
  readonly quota: number | null
}

export interface EnqueueRequest {
  readonly jobs: readonly NewJob[]
  readonly now: number
}

export type Disposition = 'created' | 'replaced' | 'kept'

export type EnqueueAnswer =
  | {
      readonly accepted: true
      readonly jobs: readonly { readonly id: string; readonly disposition: Disposition; readonly job: JobRecord }[]
    }
  /**
   * Item `index` has an id that the storage knows from a call with another type or payload, whether that made a job or
   * was folded into one. Nothing of the batch was stored. [enqueue] [keys]
   */
  | { readonly accepted: false; readonly index: number; readonly id: string }

/** How many of a group may run at once, and how many may start per window of `per` ms. */
export interface Limit {
  readonly concurrency?: number
  readonly rate?: { readonly count: number; readonly per: number }
}

/** A type the claimer has a handler for, with the limit its definition now states. */
export interface Lane {
  readonly type: string
  readonly limit?: Limit
  /** The newest payloads that the handler understands; jobs of newer ones wait, untouched. Default 1. [versions] */
  readonly payloadVersion?: number
}

export interface ClaimRequest {
  /** Names this claim: repeated with the same name, it answers the same jobs and takes no others. */
  readonly requestId: string
  readonly session: string
  readonly now: number
  /**
   * ms on a clock that never goes back, one for all claims through this handle; its origin means nothing. Rates are
   * measured by it, so that a clock that is wrong starts no more jobs than they allow. [rates] Absent: `now`.
   */
  readonly monotonic?: number
  readonly limit: number
  readonly lanes: readonly Lane[]
  /** Conditions that hold where the claimer is, for instance `online`. */
  readonly have: readonly string[]
  /**
   * Jobs that were interrupted twice are suspects and must run alone. `none` leaves them (the answer tells whether
   * one is due), `only` takes nothing else.
   */
  readonly suspects: 'none' | 'only'
}

export interface ClaimAnswer {
  readonly jobs: readonly JobRecord[]
  /**
   * The earliest moment (epoch ms) at which time alone could make a job of these lanes claimable; `null`: never.
   * The claimer may sleep until then unless a hint wakes it.
   */
  readonly nextRunAt: number | null
  /** A suspect of these lanes is due. */
  readonly suspectDue: boolean
}

/** Names one attempt: every write by an attempt carries it. */
export interface LeaseRef {
  readonly id: string
  readonly fence: number
}

export interface BeatRequest {
  readonly session: string
  readonly now: number
  /** What the executor believes it holds. */
  readonly holds: readonly LeaseRef[]
  /** Claims under way: what they brought is not an orphan. */
  readonly claiming: readonly string[]
  readonly progress: readonly (LeaseRef & { readonly value: Payload })[]
  /** How long the session may fall silent from now on (ms) although its leases are shorter; absent: they count. */
  readonly patience?: number
  /** As the session's, which it replaces: a process may be known by a new name. Set by the storage itself. */
  readonly process?: unknown
}

export interface BeatAnswer {
  /** Held jobs somebody asked to cancel. */
  readonly cancel: readonly { readonly id: string; readonly reason: string }[]
  /** Named jobs that the session no longer holds. */
  readonly lost: readonly string[]
  /** Jobs the session holds but did not name: the answer to their claim was lost. To be released. */
  readonly orphans: readonly LeaseRef[]
  /** The session itself is gone: all is lost, and a new one must be opened. */
  readonly ended: boolean
}

/**
 * One attempt's end. `when` guards a settle by somebody else than the attempt (the reaper): `beats` takes effect only
 * while the job's session still shows that number; `ended` needs proof, held by the caller, that the session is over.
 */
export type Settlement = LeaseRef & {
  readonly when?: { readonly beats: number } | { readonly ended: true }
  /**
   * Jobs stored in the same atomic step, if it makes the job `completed` or `failed`: a retry brings them for the case
   * that its job has lost its key. Ignored when the verdict is not `ok`. When the id of one is stored with another type or
   * payload, none is, and the attempt ends `failed` with `HOLDFAST_ID_CONFLICT`. [chain]
   */
  readonly enqueue?: readonly NewJob[]
} & (
    | { readonly kind: 'complete'; readonly result: Payload }
    | {
        readonly kind: 'retry'
        readonly runAt: number
        readonly delay: number
        readonly error: ErrorData
        readonly counts: 'failure' | 'interruption'
      }
    | { readonly kind: 'fail'; readonly error: ErrorData; readonly counts: 'failure' | 'interruption' }
    | {
        readonly kind: 'release'
        readonly runAt: number
        readonly delay: number | null
        /** It did not reach what it needs: raises `unreached`, and the job shows this error. [unreached] */
        readonly unreached?: ErrorData
      }
    | { readonly kind: 'cancelled'; readonly reason: string }
  )

export interface SettleRequest {
  readonly batch: readonly Settlement[]
  readonly now: number
}

export interface SettleAnswer {
  readonly verdict: Verdict
  /**
   * After `ok`: the job, where it is not in the state that the outcome asks for, since it was to be cancelled, its key
   * was taken, or a job of `enqueue` could not be stored (or, told to a repeat, since others changed it afterwards).
   * `null`: it is in that state, or the verdict is another. [settle] [chain] [repeat-settle]
   */
  readonly became: JobRecord | null
}

export interface RunningRequest {
  readonly session: string
  readonly types: readonly string[]
  readonly limit: number
}

/** An act of administration. Each kind touches only what it may; see `transitions.ts`. */
export type Amendment =
  | { readonly kind: 'cancel'; readonly id: string; readonly reason: string }
  /** A finished job that did not complete, or a waiting one: counters to 0, history and fence kept. */
  | { readonly kind: 'requeue'; readonly id: string; readonly runAt: number; readonly delay: number | null }
  /** A waiting job; what is omitted stays. */
  | {
      readonly kind: 'reschedule'
      readonly id: string
      readonly runAt?: number
      readonly priority?: number
      readonly maxRetries?: number
    }
  /**
   * Ends waiting jobs past their `expireAt`, at most `limit`, with this error and theirs as its cause. Two readings of
   * the clock, made by two calls a second apart, have to say so: one that was wrong once ends nothing. `ignored`: none
   * was ended. [expiry]
   */
  | { readonly kind: 'expire'; readonly error: ErrorData; readonly limit: number }
  /**
   * A condition holds again: waiting jobs that require it and were given back for want of what they need, at most
   * `limit`, are due at once, `unreached` at 0. `ignored`: there were none. [unreached]
   */
  | { readonly kind: 'retryUnreached'; readonly requires: string; readonly limit: number }
  | { readonly kind: 'complete'; readonly id: string; readonly result: Payload }
  | { readonly kind: 'fail'; readonly id: string; readonly error: ErrorData }
  | { readonly kind: 'remove'; readonly id: string }
  /** Removes the waiting or failed holder of a key; a running holder finishes but is not retried. */
  | { readonly kind: 'removeKey'; readonly jobKey: string }
  /** Ends a session whatever its state; what it held waits again and counts as interrupted. */
  | { readonly kind: 'forceRelease'; readonly session: string }

export interface AmendRequest {
  readonly batch: readonly Amendment[]
  readonly now: number
}

export interface AmendAnswer {
  /** `ignored`: the job is in a state this kind does not touch; nothing changed. */
  readonly verdict: 'ok' | 'ignored' | 'missing'
  /** The jobs as they are afterwards, a removed one as it was last; empty for a missing one. [removal] */
  readonly jobs: readonly JobRecord[]
}

/**
 * A schedule's step: its watermark moves from `after` to `slot` and its jobs are stored, or nothing happens. Nothing
 * happens either when the id of a job is stored already with another type or payload: the slot is still to be had by
 * whoever ticks it with another id.
 */
export interface Tick {
  readonly schedule: string
  readonly after: number | null
  readonly slot: number
  readonly jobs: readonly NewJob[]
}

export interface TickRequest {
  readonly batch: readonly Tick[]
  readonly now: number
}

export interface TickAnswer {
  readonly moved: boolean
  /** Why it did not move, where it is not because of the watermark: the job whose id says something else already. */
  readonly conflict?: { readonly index: number; readonly id: string }
}

/** A stored text of the core: schedules and automations outlive a restart as plain data under a name. */
export type DefinitionKind = 'schedule' | 'automation'

export interface DefineRequest {
  readonly kind: DefinitionKind
  /**
   * `value: null` removes the name. `change`: fields that are put into the value that stands there, an object; where there
   * is none nothing happens. [schedules]
   */
  readonly batch: readonly ({ readonly name: string } & (
    | { readonly value: Payload }
    | { readonly change: Readonly<Record<string, Payload>> }
  ))[]
}

export interface DefinitionRecord {
  readonly name: string
  readonly value: Payload
  /** The latest slot a schedule has enqueued; `null` before its first. */
  readonly watermark: number | null
}

export type PauseScope = { readonly all: true } | { readonly type: string } | { readonly queueName: string }

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** Conditions on values of a kind. */
export interface ValueFilter<Value> {
  readonly eq?: Value | null
  readonly ne?: Value | null
  readonly in?: readonly (Value | null)[]
  readonly nin?: readonly (Value | null)[]
  readonly gt?: Value
  readonly gte?: Value
  readonly lt?: Value
  readonly lte?: Value
  /** Whether it is null or missing. */
  readonly isNull?: boolean
  readonly isNotNull?: boolean
}

/** Conditions on what stands in a value. */
export interface PartFilter<Part> {
  /** A text in which this text stands, or a list with this member. */
  readonly contains?: Part
  readonly containsAny?: readonly Part[]
  readonly containsAll?: readonly Part[]
  readonly startsWith?: string
  readonly endsWith?: string
  /** A text in which this pattern is found; see `pattern.ts` for what it may say. */
  readonly matches?: string
}

/**
 * Conditions on one value; several mean `and`. Values of different types have an order: null < boolean < number < text <
 * list < object. Of what is missing only `ne`, `nin` and `isNull` are true. [operators]
 */
export interface FieldFilter extends ValueFilter<Json>, PartFilter<Json> {}

/** Whether something holds for a value and what is in it. Several parts mean `and`; a name that is no operator is one of the value's own. */
export type Condition = FieldFilter & {
  readonly and?: readonly Condition[]
  readonly or?: readonly Condition[]
  readonly not?: Condition
} & { readonly [name: string]: Condition | Json | readonly Condition[] | undefined }

export const FILTER_FIELDS = [
  'id',
  'type',
  'status',
  'priority',
  'jobKey',
  'queueName',
  'session',
  'attempts',
  'failures',
  'interruptions',
  'maxRetries',
  'createdAt',
  'runAt',
  'startedAt',
  'finishedAt',
] as const
export type FilterField = (typeof FILTER_FIELDS)[number]

/**
 * Several parts mean `and`. `status` takes the public statuses; `now` tells `pending` from `scheduled`. A field of the
 * job that is not set is null to `eq`, `ne`, `in` and `nin`, and missing to all else. [filters]
 */
export type Where = { readonly [Field in FilterField]?: FieldFilter } & {
  readonly payload?: Condition
  readonly and?: readonly Where[]
  readonly or?: readonly Where[]
  readonly not?: Where
}

/** Where the values stand that jobs are ordered by: a field, or a path into the payload. */
export interface ListOrder {
  readonly path: readonly ['payload' | FilterField, ...string[]]
  readonly direction: 'asc' | 'desc'
}

export interface ListRequest {
  readonly where: Where
  /** The first decides, then the next; a missing value comes before every other. Ties go by the order of enqueues, in the direction of the last. [list] */
  readonly orderBy: readonly [ListOrder, ...ListOrder[]]
  readonly limit: number
  /** An opaque text from an earlier page. */
  readonly after: string | null
  /** False: nobody looks at the payloads of the answer, so none need be fetched for it. [tests/core/shelf.test.ts] */
  readonly payloads?: boolean
  readonly now: number
}

export interface ListAnswer {
  readonly jobs: readonly JobRecord[]
  /** The place after each of the jobs. */
  readonly cursors: readonly string[]
  /** The place after the last one; `null` when no more follow. */
  readonly cursor: string | null
}

export const STATUSES = ['pending', 'scheduled', 'running', 'completed', 'failed', 'cancelled'] as const
/** The public status of a job: stored state plus the clock. */
export type JobStatus = (typeof STATUSES)[number]

export type JobCounts = Readonly<Record<JobStatus, number>>

/** Jobs in `state` go when they ended before `finishedBefore`, or are not among the newest `keep`; */
export interface RetentionRule {
  readonly state: FinishedState
  readonly finishedBefore: number
  readonly keep: number
}

export interface PruneRequest {
  readonly rules: readonly RetentionRule[]
  /** Nothing that ended at or after this moment goes, whatever the rules say. */
  readonly spareSince: number
  /** The most jobs to remove in this call. */
  readonly limit: number
  readonly now: number
}

export interface StorageAdapter {
  /** Version of this contract. The core refuses another. */
  readonly contract: 1
  readonly name: string
  readonly traits: StorageTraits
  /** Present only where the storage itself can signal. */
  readonly notifier?: Notifier
  /** Absent: nothing can be wrong with it. Answers at any time, also while the storage is failing. */
  health?(): StorageHealth
  /** Calls `listener` when `health()` may answer something else than before, beyond `jobs`. Returns what ends it. */
  watchHealth?(listener: () => void): () => void
  /** Absent, as a `null`: the platform cannot tell. Rejects with nothing. */
  status?(): Promise<StorageStatus>
  /** Asks the platform to keep the data when it needs space. `null`: it cannot be asked. Rejects with nothing. */
  requestPersistence?(): Promise<boolean | null>

  /** Absent: there is nothing beyond the other reads. [tests/core/queue-dump.test.ts] */
  dump?(): Promise<StorageDump>

  /** Idempotent. Every other operation before it or after `close` rejects with `HOLDFAST_STORAGE_CLOSED`. [lifecycle] */
  open(): Promise<void>
  /** Waits for writes under way. Ends no session. [lifecycle] */
  close(): Promise<void>

  /**
   * `open` raises the storage's epoch durably and registers the session; repeated, it answers the same epoch.
   * `close` ends it: what it holds waits again and counts as nothing. Names are random: none is opened twice. [session]
   */
  session(request: SessionRequest): Promise<{ readonly epoch: number }>

  /**
   * All or nothing; durable when it resolves. Ids, keys and their modes are resolved here, atomically: an id that is
   * stored already with the same type and payload stores nothing again. [enqueue] [keys]
   */
  enqueue(request: EnqueueRequest): Promise<EnqueueAnswer>

  /**
   * Select and lease in one step: no two claims share a job, at most one running job per serial queue, limits held,
   * order by priority descending, `runAt`, sequence over all lanes; jobs of one type with the same requirements do not
   * overtake each other in a serial queue. Counts the attempt and raises the fence in the
   * same step. Rejects with `HOLDFAST_SESSION_ENDED` when the session is gone. [claim] [groups] [limits] [fence]
   */
  claim(request: ClaimRequest): Promise<ClaimAnswer>

  /** One write keeps all jobs of a session; storage and executor compare what it holds. [session] */
  beat(request: BeatRequest): Promise<BeatAnswer>

  /**
   * Per item: compare state and fence (and the guard), then write. Items are independent. The fence alone says whose
   * the outcome is: it is never reused, so the session needs no saying. [settle] [reaper]
   */
  settle(request: SettleRequest): Promise<readonly SettleAnswer[]>

  /** What the reaper looks at. */
  sessions(): Promise<readonly SessionRecord[]>
  running(request: RunningRequest): Promise<readonly JobRecord[]>

  /** Per item against the states it may touch; items are independent. [amend] */
  amend(request: AmendRequest): Promise<readonly AmendAnswer[]>

  /** Per item: `moved` when the watermark stood at `after` and no id is in conflict; else nothing is stored. [schedules] */
  tick(request: TickRequest): Promise<readonly TickAnswer[]>
  /** The whole batch. Answers per item whether the name was defined before. [schedules] */
  define(request: DefineRequest): Promise<readonly boolean[]>
  definitions(kind: DefinitionKind): Promise<readonly DefinitionRecord[]>

  /** Stored; held by every claim that is decided after it. Running jobs go on. False: it was so already. [pause] */
  pause(request: { readonly scope: PauseScope; readonly paused: boolean }): Promise<boolean>
  pauses(): Promise<readonly PauseScope[]>

  /** Rows are copies; `null` for an unknown id. Reads see at least what this handle's own writes acknowledged. [read] */
  get(ids: readonly string[]): Promise<readonly (JobRecord | null)[]>
  list(request: ListRequest): Promise<ListAnswer>
  counts(request: { readonly now: number }): Promise<JobCounts>

  /** Removes finished jobs only, at most `limit`; `more` tells whether the rules still name some. [prune] */
  prune(request: PruneRequest): Promise<{ readonly removed: number; readonly more: boolean }>
}
