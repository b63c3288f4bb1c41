import { type ErrorDetails, HoldfastError } from '../../core/errors.ts'
import { LOG_FORMAT } from '../../core/storage/log.ts'
import { hasCode } from './segment-folder.ts'

export function inTheWay(folder: string, name: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_STORAGE',
    `Expected each file of ten digits and .journal in ${folder} to be a segment that follows the one before, got ` +
      `${folder}/${name}, which is none, or is damaged. Move it elsewhere`,
    { details: { field: 'directory', value: folder } },
  )
}

export function newer(folder: string, format: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_STORAGE_NEWER',
    `The journal in ${folder} was written by a newer version of holdfast (format ${format}, known: ${LOG_FORMAT})`,
    { details: { field: 'directory', value: folder } },
  )
}

export function growing(cause: unknown): HoldfastError {
  const message = `Old segments cannot be taken away: ${describe(cause)}`
  return new HoldfastError('HOLDFAST_STORAGE_GROWS', message, { cause })
}

export function outcomeUnknown(cause: unknown): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_OUTCOME_UNKNOWN',
    `The journal could not be made durable (${describe(cause)}): whether the write is in it will be seen`,
    { cause },
  )
}

/** What the system says, as an error of holdfast. `details`: what it is about, where that is known. */
export function explained(error: unknown, details: ErrorDetails = {}): Error {
  if (HoldfastError.is(error)) return error
  if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT'))
    return new HoldfastError(
      'HOLDFAST_STORAGE_FULL',
      `The disk takes no more (${describe(error)}): nothing was stored`,
      { cause: error, details },
    )
  const message = `The journal cannot be used: ${describe(error)}`
  return new HoldfastError('HOLDFAST_STORAGE', message, { cause: error, details })
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
