/** The database that page and service worker share. */
export const DATABASE = 'sync'

/** `stuck`: it ends only when its signal says so. */
export interface Upload {
  readonly stuck?: boolean
}

/** What the service worker tells of one event. */
export interface Told {
  readonly by: 'sync' | 'message'
  readonly done?: number
  readonly left?: number
  readonly nextRunAt?: number | null
  /** Why it rejected. */
  readonly code?: string
}
