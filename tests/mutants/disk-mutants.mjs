/**
 * Deliberate bugs in the shipped code that a test which only kills processes does not see: `caughtBy` names the case of
 * the crash sweep that each has to turn red.
 */
const adapter = 'src/adapters/node-fs'

/**
 * @param {string} name @param {string} file @param {string} caughtBy @param {...[find: string, replace: string]} patches
 * @returns {import('./mutants.mjs').Mutant}
 */
function mutant(name, file, caughtBy, ...patches) {
  return { name, file, caughtBy, patches: patches.map(([find, replace]) => ({ find, replace })) }
}

/** @type {readonly import('./mutants.mjs').Mutant[]} */
export const diskMutants = [
  mutant('no sync of the data', `${adapter}/segment.ts`, 'power cuts: one enqueue', [
    '    await this.#file.sync()\n',
    '',
  ]),
  mutant('no sync of the folder', `${adapter}/segment-folder.ts`, 'power cuts: rolls', [
    'return this.#fileSystem.syncFolder(this.path)',
    '',
  ]),
  mutant('own record not read back', `${adapter}/segment.ts`, 'races: another process comes before the append', [
    'if (this.#ahead.length === 0 && this.#standsAt(from, lines)) {',
    'if (this.#standsAt(from, lines) || failure === null) {',
  ]),
  mutant('records after a seal count', `${adapter}/records.ts`, 'races: another process comes before the append', [
    '    if (this.sealedBy !== null) return null\n',
    '',
  ]),
  mutant(
    'old segments removed instead of replaced',
    `${adapter}/segment-folder.ts`,
    'sleepers: a name that was retired stays taken',
    [
      '      await this.#fileSystem.rename(from, this.#at(name))\n',
      '      await this.#fileSystem.remove(this.#at(name))\n',
    ],
  ),
  mutant('a name given again', `${adapter}/segment-folder.ts`, 'sleepers: a name that is free again is not given', [
    '      if (newest >= number + KEPT_NAMES) return false\n',
    '',
  ]),
  mutant(
    'a name given to a file of long ago',
    `${adapter}/segment-folder.ts`,
    'sleepers: a name that is free again is not given to a file of long ago',
    ['for (const name of leftOverNames(names, newest)) await this.#remove(this.#at(name))', 'void leftOverNames'],
  ),
  mutant(
    'missing files are made',
    `${adapter}/segment-folder.ts`,
    'sleepers: a segment that was removed by hand is not made again',
    [
      "      if (hasCode(error, 'ENOENT')) return null\n      throw error\n    }\n  }\n\n  async #remove",
      "      if (hasCode(error, 'ENOENT')) return this.#fileSystem.open(this.#at(name), { create: true })\n      throw error\n    }\n  }\n\n  async #remove",
    ],
  ),
  mutant('a snapshot that is not synced', `${adapter}/segment-folder.ts`, 'power cuts: rolls', [
    '      await file.sync()\n',
    '',
  ]),
  mutant('a failed sync forgotten', `${adapter}/journal.ts`, 'power cuts: a sync fails', [
    '      this.#mustSeal = true\n',
    '',
  ]),
  mutant(
    'what a failed sync lost not written anew',
    `${adapter}/journal.ts`,
    'crashes: a sync fails and nobody else is there',
    ['    if (durable) segment.reassure()\n', ''],
  ),
  mutant(
    'answers that rest on what is not durable',
    'src/core/storage/replica.ts',
    'power cuts: repeats of calls whose answer was lost',
    ['return durable ? { record: null, durable } : null', 'return null'],
  ),
  mutant(
    'a line that the next one closes',
    `${adapter}/lines.ts`,
    'power cuts: claim and settle',
    ['FRAME_LENGTH = HEAD_LENGTH + 1', 'FRAME_LENGTH = HEAD_LENGTH'],
    ['  bytes[bytes.length - 1] = NEWLINE\n', ''],
    ['bytes.subarray(HEAD_LENGTH, -1)', 'bytes.subarray(HEAD_LENGTH)'],
  ),
]
