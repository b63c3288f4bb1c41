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

/**
 * Thrown by a handler of a job that requires `online`: the network did not carry it. The attempt counts as nothing and
 * is made again after 5, 10, 20 s … 5 min, and at once when the platform says that it is online again, until the job's
 * `expireAfter`. The TypeErrors by which `fetch` says the same need no throwing of this one.
 */
export class Unreachable extends HoldfastError {
  override readonly name = 'Unreachable'

  constructor(message = 'The network could not be reached', options: { cause?: unknown } = {}) {
    readOptions('Unreachable', options, { cause: anything })
    super('HOLDFAST_UNREACHABLE', text('Unreachable.message', message), options)
  }
}

/**
 * How the engines say that a request got no answer, or not all of it; the standard leaves the words to them. Seen in
 * Chromium 156, Firefox 153, WebKitGTK 2.50 and Node 20; the others are those of older and other engines. Any other
 * TypeError is a mistake in a program, and a failure. In brackets some name the host.
 */
const NO_ANSWER =
  /^(?:(?:Failed to fetch|Load failed|fetch failed|network error|terminated)(?: \(.*\))?$|NetworkError when attempting|Content-Length header of network response|Network request failed|error sending request|The Internet connection appears|The network connection was lost|Could not connect to the server)/

/** Whether an attempt ended since it did not reach the network: `Unreachable`, or what `fetch` rejects with. */
export function isUnreachable(thrown: unknown): boolean {
  if (HoldfastError.is(thrown)) return thrown.code === 'HOLDFAST_UNREACHABLE'
  try {
    const { name, message } = Object(thrown) as { readonly name?: unknown; readonly message?: unknown }
    return name === 'TypeError' && NO_ANSWER.test(String(message))
  } catch {
    return false
  }
}
