import { fieldError } from './errors.ts'
import { anything, readOptions } from './options.ts'

export interface OutputOptions {
  /** What of the value is moved and not copied: ArrayBuffers, ImageBitmaps, OffscreenCanvases, ports. Default: nothing. */
  readonly transfer?: readonly object[]
}

/** `ctx.output`: lets `send` take the value where its listeners are. */
export function put<Sent>(
  value: unknown,
  options: OutputOptions,
  send: (value: unknown, transfer: readonly object[]) => Sent,
): Sent {
  const { transfer = [] } = readOptions('output', options, { transfer: anything })
  try {
    return send(value, transfer as readonly object[])
  } catch (error) {
    throw fieldError('HOLDFAST_INVALID_PAYLOAD', 'output', value, `\`output\` cannot be sent: ${String(error)}`)
  }
}
