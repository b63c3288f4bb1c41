type Fields = Readonly<Record<string, unknown>>

/** Where the queue writes what is worth reading later; the shape of pino, winston and `console`. */
export interface Logger {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

const silent = (): void => undefined

export const SILENT: Logger = /* @__PURE__ */ Object.freeze({
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
})
