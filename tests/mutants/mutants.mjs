/**
 * Deliberate bugs in the shipped code. Each must turn the conformance kit red, and `caughtBy` names the one case whose
 * guarantee it breaks; every mutant has a case of its own. `find` must stand in the file exactly once.
 *
 * @typedef {{ readonly find: string, readonly replace: string }} Patch
 * @typedef {{ readonly name: string, readonly file: string, readonly patches: readonly Patch[], readonly caughtBy: string }} Mutant
 */
const table = 'src/core/storage/job-table'

/** @param {string} name @param {string} file @param {string} caughtBy @param {...[find: string, replace: string]} patches */
function mutant(name, file, caughtBy, ...patches) {
  return { name, file, caughtBy, patches: patches.map(([find, replace]) => ({ find, replace })) }
}

/** @type {readonly Mutant[]} */
export const mutants = [
  mutant(
    'no fence check',
    'src/core/storage/transitions.ts',
    "fence: a stale settle of the kind 'complete' changes nothing",
    ["job.state === 'running' && job.fence === fence", "job.state === 'running'"],
  ),
  mutant(
    'fence reset after release',
    'src/core/storage/transitions.ts',
    'fence: a release keeps the fence, and the next claim raises it',
    ["case 'release':\n      return {", "case 'release':\n      return {\n        fence: 0,"],
  ),
  mutant(
    'fence without epoch',
    'src/core/storage/transitions.ts',
    'fence: a fence lies above the epoch of its session',
    ['Math.max(fence, epoch * FENCES_PER_EPOCH) + 1', 'fence + 1'],
  ),
  mutant('epoch not raised', `${table}/session.ts`, 'session: each session raises the epoch', [
    'table.epoch + 1',
    'Math.max(1, table.epoch)',
  ]),
  mutant(
    'every session gets the same lease',
    `${table}/session.ts`,
    'session: each session is listed with its own lease, also after it has beaten',
    ['{ beats: 0, leaseDuration, ', '{ beats: 0, leaseDuration: 30_000, '],
  ),
  mutant(
    'a beat that forgets how patient to be',
    `${table}/session.ts`,
    'session: the patience that a session asks for is that of its latest beat',
    ['lastBeat: request.now, ...news(row, request)', 'lastBeat: request.now'],
  ),
  mutant(
    'a session opens without patience',
    `${table}/session.ts`,
    'session: a session tells from its opening on how patient others are to be with it',
    ['{ ...row, ...news(undefined, request) }', 'row'],
  ),
  mutant(
    'a tick that takes a conflict for a repeat',
    `${table}/schedule.ts`,
    'schedules: a tick whose job has the id of another stores nothing, says so and keeps the watermark',
    ["if ('index' in placed) return", "if ('nothing' in placed) return"],
  ),
  mutant('reaper unguarded', `${table}/settle.ts`, 'reaper: a beat in between saves the job', [
    "if ('ended' in when) return true",
    'return true',
  ]),
  mutant(
    'close of a session unguarded',
    `${table}/session.ts`,
    'session: a guarded close leaves a session that holds a job',
    ['when.beats === beats && held === 0', 'when.beats === beats'],
  ),
  mutant(
    'count at failure instead of claim',
    'src/core/storage/transitions.ts',
    'claim: a claim counts the attempt in the same step',
    ['attempts: job.attempts + 1,', ''],
    ['{ failures: job.failures + 1, unreached: 0 }', '{ failures: job.failures + 1, attempts: job.attempts + 1 }'],
  ),
  mutant(
    'two of one serial queue in a claim',
    `${table}/gates.ts`,
    'groups: one claim takes one job of a serial queue',
    ['|| this.#isPausedQueue(group.name) ? 0 : 1', '|| this.#isPausedQueue(group.name) ? 0 : 2'],
  ),
  mutant(
    'heads of one group in several lanes not counted together',
    `${table}/claim.ts`,
    'groups: one claim takes one job of a serial queue, though its jobs differ in type and requirements',
    ['<= (this.#admitted.get(group) ?? 0)', '<= 0'],
  ),
  mutant(
    'a serial queue that never goes on',
    `${table}/ending.ts`,
    'groups: after a completion one more of the serial queue may start',
    ['for (const key of job.groups)', 'for (const key of job.groups.slice(0, 0))'],
  ),
  mutant(
    'order by id',
    `${table}/group.ts`,
    'claim: among equal moments the one enqueued first goes first, whatever its id',
    ['a.runAt - b.runAt || a.sequence - b.sequence', 'a.runAt - b.runAt || compareTexts(a.id, b.id)'],
  ),
  mutant('smaller priorities first', `${table}/group.ts`, 'claim: larger priorities go first', [
    'b.priority - a.priority',
    'a.priority - b.priority',
  ]),
  mutant('key not freed by completion', `${table}/ending.ts`, 'key-holders: completion frees the key', [
    "to.state === 'completed' || to.state === 'cancelled'",
    "to.state === 'cancelled'",
  ]),
  mutant(
    'blocked job in the ready order',
    `${table}/gates.ts`,
    'limits: jobs alike keep the order of their serial queue, though the first waits for its limit',
    ['Math.min(capacity, jobs.size)', 'jobs.size'],
  ),
  mutant('prune of live jobs', `${table}/prune.ts`, 'prune: live jobs never go', [
    'of expired(table, rule, request.spareSince)',
    'of table.tables.jobs.values()',
  ]),
  mutant('clock deciding a lease', `${table}/claim.ts`, 'clock: a claim a year ahead takes no running job', [
    'const repeated =',
    `for (const [id, { lastBeat }] of table.tables.sessions) {
      if (request.now - lastBeat <= 30_000) continue
      for (const { id: job } of table.runningOf(id)) draft.put('jobs', job, { state: 'waiting', session: null })
    }
    const repeated =`,
  ]),
  mutant(
    'a wrong clock parks a delayed job',
    `${table}/ready-index.ts`,
    'clock: a delayed job enqueued a year ahead waits its delay and no longer',
    ['Math.min(row.runAt, now + row.delay)', 'row.runAt'],
  ),
  mutant('a unit accepted on a stale version', `${table}/job-table.ts`, 'claim: concurrent claims share no job', [
    '!== change.expect) return false',
    '!== change.expect) continue',
  ]),
  mutant(
    'a unit stands without the one it builds on',
    'src/core/storage/record-replay.ts',
    'claim: a claim that was decided on a change that came too late takes no job from another',
    ['if (!builds && ', 'if ('],
  ),
  mutant(
    'a claim does not write its session',
    `${table}/claim.ts`,
    'session: a claim that races the close of its session leaves no job behind',
    ["draft.put('sessions', request.session,", 'void ((..._) => undefined)('],
  ),
  mutant(
    'a repeated claim takes other jobs',
    `${table}/claim.ts`,
    'repeat: a repeated claim answers the same jobs and takes no others',
    ['if (repeated.length > 0)', 'if (repeated.length < 0)'],
  ),
  mutant(
    'running jobs do not count for the limit',
    `${table}/group.ts`,
    'limits: running jobs of all claims and sessions count',
    ['(limit?.concurrency ?? Infinity) - (row?.running ?? 0)', '(limit?.concurrency ?? Infinity)'],
  ),
  mutant(
    'starts of a rate window are not counted',
    `${table}/gates.ts`,
    'limits: no more jobs start in a window than the rate allows',
    ['? 0 : window.used', '? 0 : 0'],
  ),
  mutant(
    'a claim forgets the starts of those before it',
    `${table}/claim.ts`,
    'limits: starts of several claims add up in one window',
    ['used: last.used + admitted', 'used: admitted'],
  ),
  mutant(
    'a claim lands after a pause it has not seen',
    `${table}/claim.ts`,
    'pause: a claim at the same time as a pause comes before it, or takes nothing',
    ["draft.require('meta', 'pauses')", ''],
  ),
  mutant(
    'a blocked job keeps its place in the limit',
    `${table}/claim.ts`,
    'limits: a job whose serial queue this claim gives to another leaves its place in the limit to the next',
    ['if (unused !== undefined)', 'if (unused === null)'],
  ),
  mutant('a pause of a type is not heard', `${table}/claim.ts`, 'pause: a paused type is not claimed, others are', [
    '!types.includes(lane.type)',
    'true',
  ]),
  mutant(
    'a request to cancel is forgotten',
    `${table}/amend.ts`,
    'cancel: each beat tells its holder of the request and the reason',
    ['{ cancelRequested: amendment.reason }', '{}'],
  ),
  mutant(
    'a superseded job is retried',
    'src/core/storage/transitions.ts',
    'key-holders: a superseded job that throws is not retried',
    ['if (job.superseded) {', 'if (job.superseded && now < 0) {'],
  ),
  mutant(
    'a tick from another watermark',
    `${table}/schedule.ts`,
    'schedules: a tick from another watermark stores nothing',
    ['|| row.watermark !== after', ''],
  ),
  mutant(
    'an id taken for another payload',
    `${table}/enqueue.ts`,
    'enqueue: an id stored with another payload refuses the whole batch',
    [
      'known.type === job.type && samePayload(known.payload, job.payload)',
      'known.type === job.type && samePayload(null, null)',
    ],
  ),
  mutant(
    'an id of a folded call taken for another payload',
    `${table}/enqueue.ts`,
    'keys: the id of a folded call with another payload is refused, with its own it is a repeat',
    ['return digestOf({', 'return known.id !== job.id || digestOf({'],
  ),
  mutant(
    'a folded call is taken for the one that replaced its payload',
    'src/core/storage/transitions.ts',
    'keys: a folded call is known by what it said, also when a later one has replaced that',
    ['call.digest ?? digestOf({ type, payload })', 'call.digest'],
  ),
  mutant(
    'what a refused batch did before it was refused stays',
    `${table}/enqueue.ts`,
    'keys: a refused batch leaves the holders of its keys alone',
    ['draft.discard()', ''],
  ),
  mutant(
    'a replaced holder takes any payload for its id',
    'src/core/storage/transitions.ts',
    'keys: the id of a replaced holder with another payload is refused, with its own it is a repeat',
    ['patch.digest = digestOf(job)', 'patch.digest = digestOf(by)'],
  ),
  mutant(
    'folded enqueues are not remembered',
    'src/core/storage/transitions.ts',
    'repeat: a repeated enqueue that replaced does so once',
    ['absorbed }', 'absorbed: job.absorbed }'],
  ),
  mutant(
    'suspects run with others',
    'src/core/storage/transitions.ts',
    'suspects: a suspect is not claimed together with others',
    ['job.interruptions >= 2', 'job.interruptions >= 99'],
  ),
  mutant(
    'jobs of a stale outcome are stored',
    `${table}/settle.ts`,
    'chain: jobs enqueued by a stale outcome are not stored',
    [
      'if (!holds(job, settlement.fence)) {',
      'if (!holds(job, settlement.fence)) {\n    placeAll(draft, settlement.enqueue ?? [])',
    ],
  ),
  mutant(
    'a repeated settle is told stale',
    'src/core/storage/transitions.ts',
    "repeat-settle: a repeated settle of the kind 'complete' counts once",
    [
      "job.state !== 'running' && job.fence === settlement.fence",
      "job.state === 'running' && job.fence === settlement.fence",
    ],
  ),
  mutant(
    'requirements are not looked at',
    `${table}/ready-index.ts`,
    'claim: a job waits until a claimer has all it requires',
    [
      'lane.requires.every((condition) => have.has(condition))',
      'lane.requires.every((condition) => have.has(condition) || true)',
    ],
  ),
  mutant(
    'an outcome does not say what its job became',
    `${table}/settle.ts`,
    'settle: an outcome whose job became something else shows the job',
    ['job === undefined || job.state === stateAfter(kind)', 'job === undefined || job.id === id'],
  ),
  mutant('records share their payload with the table', `${table}/rows.ts`, 'read: a record that was read is a copy', [
    'row.shelf === null ? copyPlain(row.payload)',
    'row.shelf === null ? row.payload',
  ]),
  mutant(
    'a closed session interrupts its jobs',
    'src/core/storage/transitions.ts',
    'session: the jobs of a closed session wait again and count as nothing',
    ["attemptEnded(job, 'released', now)", "attemptEnded(job, 'interrupted', now)"],
  ),
  mutant(
    'the history grows without end',
    'src/core/storage/transitions.ts',
    'settle: the history keeps the latest ten attempts, oldest first',
    ['job.history.slice(1 - HISTORY_LIMIT)', 'job.history'],
  ),
  mutant(
    'a page shows the last job of the one before',
    `${table}/query.ts`,
    'list: each job has a cursor after which the next page begins',
    ['this.#after) > 0', 'this.#after) >= 0'],
  ),
  mutant('a job that was not made waits', `${table}/rows.ts`, 'enqueue: a job that comes with an error never waits', [
    'if (job.failed !== undefined)',
    'if (job.failed === null)',
  ]),
  mutant('orders do not follow changes', `${table}/job-table.ts`, 'list: an order that was read follows the jobs', [
    'this.orders.add(row, fields)',
    'void fields',
  ]),
  mutant(
    'what is missing is less than all',
    'src/core/storage/condition-test.ts',
    'operators: `lt` holds for no missing value',
    ['value !== undefined && !(isField', '!(isField'],
  ),
  mutant('an index finds too little', `${table}/narrowing.ts`, 'list: few among many are found by what they have', [
    'lt == null ? 1 : 0',
    '0',
  ]),
  mutant('lists are objects', 'src/core/storage/condition-test.ts', 'operators: a list comes before every object', [
    'if (Array.isArray(value)) return 4',
    'if (Array.isArray(value)) return 5',
  ]),
  mutant(
    'a beat does not look at fences',
    `${table}/session.ts`,
    'beat: an earlier attempt is lost, though the session holds the job again',
    ['holds(job, lease.fence)', 'holds(job, job.fence)'],
  ),
  mutant(
    'bytes of a payload are shared with their caller',
    'src/core/storage/plain.ts',
    'structured: a caller who changes the payload after the answer changes no job',
    ['return copyBytes(value as ArrayBuffer)', 'return value'],
  ),
  mutant(
    'what is in a Map is shared with who reads it',
    'src/core/storage/plain.ts',
    'structured: who changes the payload of a record that was read changes no job',
    ['[key, copyItem(item, key)]', '[key, item]'],
  ),
  mutant(
    'an id does not look at bytes',
    'src/core/storage/digest.ts',
    'structured: an id tells payloads apart: one byte',
    [',${digest.value}', ''],
  ),
  mutant(
    'an id does not look at Dates',
    'src/core/storage/digest.ts',
    'structured: an id tells payloads apart: Dates',
    ['${Number(value)}', ''],
  ),
  mutant(
    'an id does not look into Maps',
    'src/core/storage/digest.ts',
    'structured: an id tells payloads apart: values of a Map',
    [
      'Array.from(value as Map<unknown, unknown>, digestOfValue)',
      'Array.from((value as Map<unknown, unknown>).keys(), digestOfValue)',
    ],
  ),
  mutant(
    'an id does not look at the names of Files',
    'src/core/storage/digest.ts',
    'structured: an id tells payloads apart: the name of a File',
    ['[size, type, name, lastModified])', '[size, type, lastModified])'],
  ),
  mutant('expired jobs are claimed', `${table}/ready-index.ts`, 'expiry: a job past its moment is not claimed', [
    'if (this.#expirations.add(row, this.now)) return',
    'this.#expirations.add(row, this.now)',
  ]),
  mutant(
    'one reading of the clock ends a job',
    `${table}/expire.ts`,
    'expiry: a call a year ahead ends nothing, nor does its repeat',
    ["draft.get('meta', 'expiry')?.value as number | undefined", 'now - APART'],
    ['|| (job.expireAt ?? 0) > seen', ''],
  ),
  mutant(
    'a wrong reading of the clock is kept',
    `${table}/expire.ts`,
    'expiry: calls a year ahead end nothing when one between them read the clock right',
    ['now < seen || (unsure', '(unsure'],
  ),
  mutant(
    'the clock that reads later decides',
    `${table}/expire.ts`,
    'expiry: a call a year ahead ends what was late before it',
    ['(job.expireAt ?? 0) > seen', '(job.expireAt ?? 0) > now'],
  ),
  mutant(
    'an expired job keeps its moment when it is requeued',
    'src/core/storage/transitions.ts',
    'expiry: a job that expired and is requeued has its whole span again',
    ['    delay,\n    expireAt,\n    finishedAt: null,', '    delay,\n    finishedAt: null,'],
    ['delay: number | null, expireAt: number | null): Patch', 'delay: number | null): Patch'],
  ),
  mutant(
    'a clock that is behind makes jobs expire',
    `${table}/expire.ts`,
    'expiry: a job enqueued by a clock a year behind has its whole span, while a session beats',
    ['Math.max(latest, lastBeat)', 'Math.max(latest, lastBeat * 0)'],
  ),
  mutant(
    'a job that reached nothing counts an attempt for it',
    'src/core/storage/transitions.ts',
    'unreached: an attempt that reached nothing counts as nothing, and is remembered with its error',
    ['{ unreached: job.unreached + 1 }', '{ unreached: job.unreached + 1, failures: job.failures + 1 }'],
  ),
  mutant(
    'a failure does not say that something was reached',
    'src/core/storage/transitions.ts',
    'unreached: an attempt that failed has reached something',
    ['failures: job.failures + 1, unreached: 0', 'failures: job.failures + 1'],
  ),
  mutant(
    'all delayed jobs are due when a condition holds again',
    `${table}/expire.ts`,
    'unreached: when the condition holds again its jobs are due at once, and no others',
    ['if (job.unreached === 0) continue', ''],
  ),
  mutant(
    'a strict job gives its place up while it waits',
    'src/core/storage/transitions.ts',
    'strict: a strict job that waits for its retry blocks its serial queue, and nothing else',
    ['{ groups: groups.filter((key) => key === serialGroup(queueName)) }', '{}'],
  ),
  mutant(
    'anybody may take a place that is kept',
    `${table}/gates.ts`,
    'strict: a strict job that waits for its retry starts first when it is due',
    ['return holder == null || holder === row.id', 'return holder !== ""'],
  ),
  mutant(
    'who keeps a place waits for it behind others',
    `${table}/group.ts`,
    'strict: a paused serial queue holds back the strict job that keeps its place',
    ['b.groups.length - a.groups.length || compareReady(a, b)', 'compareReady(a, b)'],
  ),
  mutant(
    'a prune frees places that are kept',
    `${table}/prune.ts`,
    'strict: a prune frees no place in a serial queue',
    ['holder == null && ', ''],
  ),
  mutant(
    'a removed job keeps its place for ever',
    `${table}/ending.ts`,
    'strict: a strict job that is removed by hand frees its serial queue',
    ['  leaveQueue(draft, job)\n', ''],
  ),
  mutant(
    'a job that is ended while it waits keeps its place for ever',
    `${table}/ending.ts`,
    'strict: a strict job that is cancelled by hand frees its serial queue',
    ['  leaveQueue(draft, job, to)\n', ''],
  ),
  mutant(
    'a claim takes what its handler does not understand',
    `${table}/ready-index.ts`,
    'versions: a job of a newer version waits and burns nothing, whatever claims there are',
    ['lane.payloadVersion <= payloadVersion && ', ''],
  ),
  mutant(
    'older versions are left lying',
    `${table}/ready-index.ts`,
    'versions: a claim takes its own version and all older ones, in one order',
    ['lane.payloadVersion <= payloadVersion', 'lane.payloadVersion === payloadVersion'],
  ),
  mutant(
    'lists of two versions are joined',
    `${table}/enqueue.ts`,
    'versions: lists of two versions are not joined: the older goes on without the key',
    ['holder.payloadVersion !== payloadVersion || ', ''],
  ),
  mutant(
    'a replaced job keeps the version of the older call',
    'src/core/storage/transitions.ts',
    'versions: a job that is replaced has the version of the newer call',
    ['if (job.payloadVersion !== by.payloadVersion) patch.payloadVersion = by.payloadVersion', ''],
  ),
  mutant(
    'a pause that changes nothing says that it did',
    `${table}/schedule.ts`,
    'pause: a pause and a resume tell whether they changed anything',
    ['if (isPaused(before, scope) === paused) return false', ''],
  ),
  mutant(
    'a window that is opened late ends late',
    `${table}/claim.ts`,
    'limits: a window that is opened late ends no later: the next follows the last without a gap',
    ['idle < rate.per ? now - Math.round(idle) : now', 'idle < rate.per ? now : now'],
  ),
  mutant(
    'the moments of every window are believed',
    `${table}/rate-windows.ts`,
    'rates: executors start no more together than the rate allows, the clock of the second hours ahead',
    ['(age <= gap + SLACK && (gap <= until - since || !isOpen(by)))', 'true'],
  ),
  mutant(
    'a window that opens in the future lasts until then',
    `${table}/rate-windows.ts`,
    'rates: who comes to a window of a clock ahead waits its length at most',
    ['isDated && age > 0', 'isDated'],
  ),
  mutant(
    'rates are measured by the wall clock',
    `${table}/rate-windows.ts`,
    'rates: a clock that is set ahead ends no window',
    ['if (monotonic !== undefined) return Math.max(this.#time, monotonic)', ''],
  ),
  mutant(
    'who looks first believes whoever opened the window',
    `${table}/rate-windows.ts`,
    'rates: who comes to a window of a clock behind waits its length at most',
    ['!isOpen(by)', 'true'],
  ),
  mutant(
    'who looks first believes nobody',
    `${table}/rate-windows.ts`,
    'rates: a window that is over keeps nobody waiting who comes when its opener has closed',
    ['!isOpen(by)', 'false'],
  ),
  mutant(
    'who looks again believes whoever is gone',
    `${table}/rate-windows.ts`,
    'rates: a clock behind in a session that ends before others look again ends no window',
    ['age <= gap + SLACK', '(age <= gap + SLACK || !isOpen(by))'],
  ),
  mutant(
    'a prune removes windows by its own clock',
    `${table}/prune.ts`,
    'rates: a prune by a clock ahead ends no window',
    ['table.ready.windows.isOver(key, window)', 'window.until <= request.now'],
  ),
  mutant(
    'no job says that its payload was not checked',
    `${table}/rows.ts`,
    'versions: that no schema saw a payload is kept, until a call replaces it whose payload was checked',
    ['if (job.unchecked === true) fields.unchecked = true', ''],
  ),
  mutant(
    'lists of which a schema has seen one are joined',
    `${table}/enqueue.ts`,
    'versions: a list that no schema saw and one that was checked are not joined: the older goes on without the key',
    [' || holder.unchecked !== unchecked', ''],
  ),
  mutant('unsafeDedupe replaces', `${table}/enqueue.ts`, 'key-holders: unsafeDedupe keeps a running holder', [
    "if (job.jobKeyMode === 'unsafeDedupe')",
    "if (job.jobKeyMode === 'none')",
  ]),
  mutant(
    'a failed holder is updated',
    `${table}/enqueue.ts`,
    'key-holders: a failed holder loses its key to a new job',
    ["if (holder.state !== 'waiting' ||", "if (holder.state === 'running' ||"],
  ),
  mutant('a detail is not replaced', 'src/core/storage/transitions.ts', 'keys: replace sets every detail anew', [
    'if (job.serial !== by.serial) patch.serial = by.serial',
    '',
  ]),
  mutant(
    'a detail that a newer call leaves out stays',
    'src/core/storage/transitions.ts',
    'keys: replace sets what the newer call leaves out to its default',
    ['if (job.queueName !== by.queueName)', 'if (by.queueName !== null)'],
  ),
  mutant(
    'a replaced job keeps its failures',
    'src/core/storage/transitions.ts',
    'keys: replace sets the counters to zero and clears the error',
    ['if (job.failures !== 0) patch.failures = 0', ''],
  ),
  mutant(
    'a moment is preserved after an attempt too',
    'src/core/storage/transitions.ts',
    'keys: preserveRunAt takes the new moment after an attempt',
    ["by.jobKeyMode === 'preserveRunAt' && job.attempts === 0", "by.jobKeyMode === 'preserveRunAt'"],
  ),
  mutant('array payloads are replaced', 'src/core/storage/transitions.ts', 'keys: array payloads are joined', [
    'joins ? joinedList(payload, added) : added',
    'added',
  ]),
  mutant(
    'lists grow without a bound',
    `${table}/enqueue.ts`,
    'keys: a list that has no room for another runs as it is, without the key',
    ['json > joinedAtMost.json || ', ''],
  ),
  mutant(
    'a batch does not know what it has folded itself',
    `${table}/draft.ts`,
    'keys: an id that a batch names again is a repeat, into whatever job it was folded',
    ['this.#folded?.get(id) ?? ', ''],
  ),
  mutant(
    'a batch remembers more of what it folded than its jobs do',
    `${table}/draft.ts`,
    'keys: a batch forgets the ids of calls that were folded long ago when the calls one after another would',
    ['holder?.absorbed.some((call) => call.id === id) === true ? holder : undefined', 'holder'],
  ),
  mutant(
    'bytes of lists weigh nothing',
    `${table}/enqueue.ts`,
    'structured: a list whose bytes leave no room for more runs as it is, without its key',
    [' || binary > joinedAtMost.binary', ''],
  ),
  mutant(
    'a batch does not see the keys of its own items',
    `${table}/enqueue.ts`,
    'keys: a batch does with keys what the calls one after another would, whatever their modes',
    ["draft.get('keys', jobKey)", "draft.table.row('keys', jobKey)"],
  ),
  mutant(
    'the running holder of a removed key is retried',
    `${table}/amend.ts`,
    'removal: the running holder of a removed key finishes but is not retried',
    ["draft.put('jobs', holder.id, keyLost(holder))", "draft.put('jobs', holder.id, { jobKey: null })"],
  ),
  mutant('a release gives its start back', `${table}/ending.ts`, 'limits: a release gives no start back', [
    "else draft.put('groups', key, { running })",
    "else draft.put('groups', key, { running, window: group.window && { ...group.window, used: group.window.used - 1 } })",
  ]),
  mutant(
    'a new number of a limit is not heard',
    `${table}/gates.ts`,
    'limits: a new number holds from the next claim on',
    ['if (type.limitKnown && sameLimit(type.limit, limit)) continue', 'if (type.limitKnown) continue'],
  ),
  mutant(
    'a job without a key passes the limit',
    `${table}/gates.ts`,
    'limits: a job without limit key falls under the empty key',
    ['if (limitKey === null && type.limit === null)', 'if (limitKey === null)'],
  ),
  mutant(
    'a running job is completed by hand',
    `${table}/amend.ts`,
    "amend: the kind 'complete' ignores a job that is running or completed",
    [
      "if (state === 'running' || state === 'completed') return false\n      writeEnd",
      "if (state === 'completed') return false\n      writeEnd",
    ],
  ),
  mutant(
    'a job that is failed by hand shows a key that it does not hold',
    `${table}/amend.ts`,
    'key-holders: a cancelled job that is failed by hand has its key again, unless another has it',
    [
      "withKey(draft, job, { ...ended('failed', now), error: copyPlain(amendment.error) })",
      "{ ...ended('failed', now), error: copyPlain(amendment.error) }",
    ],
  ),
  mutant(
    'a job that was cancelled says so for ever',
    `${table}/amend.ts`,
    'amend: a cancelled job that is completed or failed by hand does not say why it was cancelled',
    ['{ state, finishedAt, cancelRequested: null }', '{ state, finishedAt }'],
  ),
  mutant('a running job is removed', `${table}/amend.ts`, "amend: the kind 'remove' ignores a job that is running", [
    "if (state === 'running') return false\n      removeJob",
    'removeJob',
  ]),
  mutant('what a reschedule omits is reset', `${table}/amend.ts`, 'amend: rescheduling leaves what is omitted', [
    '...(priority === undefined ? {} : { priority })',
    'priority: priority ?? 1',
  ]),
  mutant(
    'jobs of an outcome that ends nothing are stored',
    `${table}/settle.ts`,
    'chain: jobs of an outcome are stored only if it ends its job',
    ['(hasEnded && settlement.enqueue) || []', 'settlement.enqueue ?? []'],
  ),
  mutant(
    'what follows the failure of a superseded job is dropped',
    `${table}/settle.ts`,
    'chain: jobs that a retry brings are stored when its job has lost its key, and so fails',
    ['hasEnded &&', "hasEnded && settlement.kind !== 'retry' &&"],
  ),
  mutant(
    'a change drops what it does not name',
    `${table}/schedule.ts`,
    'schedules: a change is put into what is defined, and defines nothing where there is nothing',
    ['...(row.value as object), ...item.change', '...item.change'],
  ),
  mutant(
    'a cursor holds what JSON does not have',
    `${table}/job-order.ts`,
    'structured: pages in the order of what JSON does not have show each job once',
    ["return tag === 'Date' ? Number(value) : null", 'return value'],
  ),
  mutant(
    'the end of a job that started without the limit lets nobody pass',
    `${table}/gates.ts`,
    'limits: a job that waits for one that started without the limit starts once that has ended',
    ['if (unkeyed !== undefined) this.#touch(unkeyed)', ''],
  ),
  mutant(
    'who begins to wait passes those who wait',
    `${table}/gates.ts`,
    'chain: a job enqueued in the serial queue of its parent waits behind those that wait there',
    ['if (worst !== undefined && group', 'if (worst === undefined || group'],
  ),
]
