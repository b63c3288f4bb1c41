import { HoldfastError, isBranded } from './errors.ts'
import { anything, readOptions, type Span, spanToMs, text } from './options.ts'

const LATER = '~holdfast-retry-later'

/**
 * Thrown by a handler: not now. The job waits for `after` and the attempt counts as nothing.
 *
 * @param options.after at least 0
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
  readonly after: number

  constructor(options: { after: Span; message?: string }) {
    const { after = spanToMs('RetryLater.after', undefined), message = 'The handler asked to be run later' } =
      readOptions('RetryLater', options, { after: spanToMs, message: text })
    super(message)
    this.after = after
    Object.defineProperty(this, LATER, { value: true })
  }

  static is(value: unknown): value is RetryLater {
    return isBranded(value, LATER)
  }
}

/** Thrown by a handler: no retry can help. The job is failed at once. */
export class FailPermanently extends HoldfastError {
  override readonly name = 'FailPermanently'

  constructor(message: string, options: { cause?: unknown } = {}) {
    readOptions('FailPermanently', options, { cause: anything })
    super('HOLDFAST_FAILED_PERMANENTLY', text('FailPermanently.message', message), options)
  }
}
