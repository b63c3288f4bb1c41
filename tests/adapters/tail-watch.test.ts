import { describe, expect, test, vi } from 'vitest'
import type { OpenFile } from '../../src/adapters/node-fs/file-system.ts'
import { encodeRecord } from '../../src/adapters/node-fs/lines.ts'
import { Segment } from '../../src/adapters/node-fs/segment.ts'
import { TailWatch } from '../../src/adapters/node-fs/tail-watch.ts'

/** A file in memory that somebody else may append to, or take away. */
class FileOfOthers implements OpenFile {
  bytes: Buffer = Buffer.alloc(0)
  names = 1
  stats = 0

  stat(): { size: number; names: number } {
    this.stats += 1
    return { size: this.bytes.length, names: this.names }
  }
  read(into: Uint8Array, position: number): number {
    return this.bytes.copy(into, 0, position)
  }
  append(data: Uint8Array): number {
    this.bytes = Buffer.concat([this.bytes, data])
    return data.length
  }
  async sync(): Promise<void> {
    await Promise.resolve()
  }
  async close(): Promise<void> {
    await Promise.resolve()
  }
  othersWrite(id: string): void {
    for (const line of encodeRecord({ id, format: 1, units: [] })) this.append(line)
  }
}

function opened(): { file: FileOfOthers; segment: Segment } {
  const file = new FileOfOthers()
  const segment = new Segment({ number: 1, file, start: 0, durable: false, onDamage: () => undefined })
  return { file, segment }
}

describe('a segment tells that it has grown', () => {
  test('once for what others wrote, whether it is read or not', () => {
    const { file, segment } = opened()
    expect(segment.hasGrown()).toBe(false)
    file.othersWrite('a')
    expect([segment.hasGrown(), segment.hasGrown()]).toEqual([true, false])
    file.othersWrite('b')
    expect(segment.hasGrown()).toBe(true)
    expect(segment.take().map(({ id }) => id)).toEqual(['a', 'b'])
    expect(segment.hasGrown()).toBe(false)
  })

  test('not for what it wrote itself', () => {
    const { segment } = opened()
    segment.take()
    const record = { id: 'mine', format: 1, units: [] }
    segment.append(record, segment.encoded(record))
    expect(segment.hasGrown()).toBe(false)
  })

  test('once when its file was taken away', () => {
    const { file, segment } = opened()
    file.names = 0
    expect([segment.hasGrown(), segment.hasGrown()]).toEqual([true, false])
  })
})

describe('the watch over the tail', () => {
  test('looks every 5 ms while something happens and every 250 ms in the end, without any hint', () => {
    vi.useFakeTimers()
    try {
      let looks = 0
      let grown = false
      const watch = new TailWatch(
        () => () => undefined,
        () => {
          looks += 1
          return grown
        },
      )
      let told = 0
      const stop = watch.start(() => (told += 1))
      vi.advanceTimersByTime(2000)
      looks = 0
      vi.advanceTimersByTime(10_000)
      expect(looks).toBe(40)
      grown = true
      vi.advanceTimersByTime(250)
      told = 0
      vi.advanceTimersByTime(100)
      expect(told).toBeGreaterThanOrEqual(10)
      stop()
      looks = 0
      vi.advanceTimersByTime(1000)
      expect(looks).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('takes a hint at once', () => {
    let hint: () => void = () => undefined
    const watch = new TailWatch(
      (changed) => {
        hint = changed
        return () => undefined
      },
      () => true,
    )
    let told = 0
    const stop = watch.start(() => (told += 1))
    hint()
    expect(told).toBe(1)
    stop()
  })

  test('does without hints where the system gives none, and takes a look that fails for growth', () => {
    vi.useFakeTimers()
    try {
      const watch = new TailWatch(
        () => {
          throw new Error('ENOSPC: System limit for number of file watchers reached')
        },
        () => {
          throw new Error('EIO')
        },
      )
      let told = 0
      const stop = watch.start(() => (told += 1))
      vi.advanceTimersByTime(50)
      expect(told).toBeGreaterThan(0)
      // It may fail for an hour: it does not look as if all were busy.
      vi.advanceTimersByTime(2000)
      told = 0
      vi.advanceTimersByTime(10_000)
      expect(told).toBe(40)
      stop()
    } finally {
      vi.useRealTimers()
    }
  })
})
