import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeLine, encodeRecord, scanLines } from '../../src/adapters/node-fs/lines.ts'

const newline = Buffer.from('\n')
const debris = fc.oneof(
  fc.constant(newline),
  fc.constant(Buffer.from('\n01234567 {"kind":"record","id":"torn')),
  // What a torn write leaves of a line that would have been whole.
  fc.nat(40).map((length) => encodeRecord({ id: 'torn', format: 1, units: [] })[0]?.subarray(0, length) ?? newline),
)
const line = fc.string().map((id) => encodeLine({ kind: 'record', id, format: 1, units: [] }))
const journals = fc
  .array(fc.oneof({ weight: 3, arbitrary: line }, { weight: 1, arbitrary: debris }), { maxLength: 12 })
  // Nothing follows a torn write but whole lines, and each file begins with one.
  .map((pieces) => Buffer.concat([encodeLine({ kind: 'tombstone' }), ...pieces, encodeLine({ kind: 'tombstone' })]))

type Scanned = { readonly text: string; readonly intact: boolean; readonly end: number }

/** Reads on from what was consumed, as far as each of the ends in turn. */
function scannedUpTo(ends: readonly number[], bytes: Buffer): readonly Scanned[] {
  const found: Scanned[] = []
  let position = 0
  for (const end of [...ends].sort((a, b) => a - b)) {
    const { lines, consumed } = scanLines(bytes.subarray(position, Math.max(position, end)))
    for (const { content, intact, end: behind } of lines)
      found.push({ text: content.toString('latin1'), intact, end: position + behind })
    position += consumed
  }
  return found
}

test('wherever reads of a journal end, its lines are the same', () => {
  fc.assert(
    fc.property(journals, fc.array(fc.nat(2000), { maxLength: 40 }), (bytes, cuts) => {
      const ends = cuts.map((cut) => cut % (bytes.length + 1))
      expect(scannedUpTo([...ends, bytes.length], bytes)).toEqual(scannedUpTo([bytes.length], bytes))
    }),
  )
})

test('a read that ends behind the newline in front of a line does not take the line for damage', () => {
  const bytes = Buffer.concat(['a', 'b'].map((id) => encodeLine({ kind: 'record', id, format: 1, units: [] })))
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(scannedUpTo([cut, bytes.length], bytes).map(({ intact }) => intact)).toEqual([true, true])
})
