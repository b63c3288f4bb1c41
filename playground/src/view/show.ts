import type { Job } from 'holdfast'

/** The end of an id: enough to tell a dozen apart. */
export function shortId(id: string): string {
  return id.slice(-5)
}

export function priorityName(priority: number): string {
  return ['low', 'normal', 'high', 'critical'][priority] ?? String(priority)
}

/** `in 3 s`, `in 2 min`. */
export function until(moment: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((moment - now) / 1000))
  return seconds < 100 ? `in ${seconds} s` : `in ${Math.ceil(seconds / 60)} min`
}

/** How long ago, in tenths of a second. */
export function since(moment: number, now: number): string {
  const seconds = Math.max(0, now - moment) / 1000
  return seconds < 100 ? `${seconds.toFixed(1)} s ago` : `${Math.round(seconds / 60)} min ago`
}

/** What of a payload names the job to people. */
export function titleOf({ type, payload }: Pick<Job, 'type' | 'payload'>): string {
  const { name, order, below, seconds } = Object(payload) as Readonly<Record<string, unknown>>
  if (typeof name === 'string') return name
  if (typeof order === 'number') return `order ${order}`
  if (typeof below === 'number') return `below ${below.toLocaleString('en')}`
  return typeof seconds === 'number' ? `of ${seconds} s` : `a ${type} job`
}

/** JSON for people: a file is named by what it is, and a picture by its size. */
export function shown(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, inner: unknown) => {
      if (inner instanceof Blob) return `${inner.type || 'file'}, ${inner.size} bytes`
      if (typeof inner === 'string' && inner.startsWith('data:image')) return `a picture, ${inner.length} characters`
      return inner
    },
    2,
  )
}
