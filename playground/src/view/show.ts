import type { Job } from 'holdfast'

/** The end of an id: enough to tell a dozen apart. */
export function shortId(id: string): string {
  return id.slice(-5)
}

/** `1 job`, `2,000 jobs`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

export function priorityName(priority: number): string {
  return ['low', 'normal', 'high', 'critical'][priority] ?? String(priority)
}

/** `in 3 s`, `in 2 min`, `in 5 h`, `in 31 days`. */
export function until(moment: number, now: number): string {
  const seconds = Math.max(0, Math.ceil((moment - now) / 1000))
  if (seconds < 100) return `in ${seconds} s`
  if (seconds < 100 * 60) return `in ${Math.ceil(seconds / 60)} min`
  return seconds < 48 * 3600 ? `in ${Math.round(seconds / 3600)} h` : `in ${Math.round(seconds / 86_400)} days`
}

/** How long ago, in tenths of a second. */
export function since(moment: number, now: number): string {
  const seconds = Math.max(0, now - moment) / 1000
  return seconds < 100 ? `${seconds.toFixed(1)} s ago` : `${Math.round(seconds / 60)} min ago`
}

/** What of a payload names the job to people; empty where nothing does. */
export function titleOf({ payload }: Pick<Job, 'payload'>): string {
  const { name, order, below, seconds, to, user_id: user, id } = Object(payload) as Readonly<Record<string, unknown>>
  if (typeof name === 'string') return name
  if (typeof order === 'number') return `order ${order}`
  if (typeof below === 'number') return `below ${below.toLocaleString('en')}`
  if (typeof to === 'string') return `to ${to}`
  if (typeof user === 'string' || typeof user === 'number') return `to user ${user}`
  if (typeof id === 'number') return `picture ${id}`
  return typeof seconds === 'number' ? `of ${seconds} s` : ''
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
