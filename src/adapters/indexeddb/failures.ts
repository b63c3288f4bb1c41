import { HoldfastError } from '../../core/errors.ts'

/** Jobs and what belongs to them, above which health warns: some 50 MB in each tab. */
export const MANY_ROWS = 200_000

/** By name: the class is another in each engine. */
export function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : ''
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : ''
}

export function explained(name: string, error: unknown): Error {
  if (HoldfastError.is(error)) return error
  if (nameOf(error) === 'QuotaExceededError')
    return new HoldfastError('HOLDFAST_STORAGE_FULL', `The browser gives ${name} no more space (${said(error)})`, {
      cause: error,
    })
  return broken(name, error)
}

function broken(name: string, cause: unknown): HoldfastError {
  return new HoldfastError('HOLDFAST_STORAGE', `The database ${name} cannot be used (${said(cause)})`, { cause })
}

function said(error: unknown): string {
  return nameOf(error) === '' ? String(error) : `${nameOf(error)}: ${messageOf(error)}`
}

/** Why a database could not be opened. `wasOpen`: what could be opened once is not forbidden. */
export function unopened(name: string, error: unknown, wasOpen: boolean): Error {
  // Chromium says it of a full disk and of a damaged profile alike: nobody is to make room for that alone.
  if (nameOf(error) === 'QuotaExceededError') return broken(name, error)
  const names = ['SecurityError', 'InvalidStateError', 'NotAllowedError']
  if (wasOpen || HoldfastError.is(error) || !names.includes(nameOf(error))) return explained(name, error)
  return new HoldfastError(
    'HOLDFAST_STORAGE_UNAVAILABLE',
    `This page may not store anything (${messageOf(error)}): a private window, perhaps, or a frame of another site`,
    { cause: error },
  )
}

export function noIndexedDb(cause?: unknown): HoldfastError {
  return new HoldfastError('HOLDFAST_STORAGE_UNAVAILABLE', 'There is no IndexedDB here', { cause })
}

export function silent(name: string, what: string, deadline: number): HoldfastError {
  return new HoldfastError('HOLDFAST_STORAGE_TIMEOUT', `The database ${name} took more than ${deadline} ms ${what}`)
}

export function blocked(name: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_STORAGE_BLOCKED',
    `Another tab keeps an older version of the database ${name} open: close or reload it`,
  )
}

export function newer(name: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_STORAGE_NEWER',
    `A newer version of holdfast writes to the database ${name}: this version only reads it`,
  )
}

export function growing(name: string, cause: unknown): HoldfastError {
  return new HoldfastError('HOLDFAST_STORAGE_GROWS', `The database ${name} cannot be shortened (${said(cause)})`, {
    cause,
  })
}

export function crowded(rows: number): HoldfastError {
  return new HoldfastError('HOLDFAST_MANY_JOBS', `Expected at most ${MANY_ROWS} rows in each tab, got ${rows}`)
}

export function refusedPayload(cause: unknown): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_PAYLOAD_FORMAT',
    `The browser cannot store a Blob or File of the payload (${said(cause)}): was the file changed, or moved, since it was picked?`,
    { cause },
  )
}

export function outcomeUnknown(name: string, cause: unknown): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_OUTCOME_UNKNOWN',
    `A transaction on ${name} did not say how it ended (${nameOf(cause)}): that will be seen`,
    { cause },
  )
}

/** Whether another try may end otherwise. */
export function mayPass(error: Error): boolean {
  return HoldfastError.is(error, 'HOLDFAST_STORAGE') || HoldfastError.is(error, 'HOLDFAST_STORAGE_TIMEOUT')
}
