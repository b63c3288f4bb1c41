import { WebKitSession } from '../engines/webkit-driver.ts'
import type { Browser, Tab } from './browser.ts'

/** How long one `evaluate` may take, in ms. The tests' own timeouts are shorter. */
const SCRIPT_TIMEOUT = 600_000

/** Starts WebKitGTK on a display in memory. Its profile ends with it. */
export async function startWebKit(): Promise<WebKit> {
  const session = await WebKitSession.start()
  await session.command('timeouts', { script: SCRIPT_TIMEOUT })
  return new WebKit(session)
}

/** It has one tab: opening another page leaves the one before. */
export class WebKit implements Browser {
  readonly engine = 'webkit'
  readonly #session: WebKitSession
  #closing: Promise<void> | null = null

  constructor(session: WebKitSession) {
    this.#session = session
  }

  async open(url: string): Promise<Tab> {
    await this.#session.command('url', { url })
    return new WebKitTab(this.#session)
  }

  close(): Promise<void> {
    this.#closing ??= this.#session.close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class WebKitTab implements Tab {
  readonly #session: WebKitSession

  constructor(session: WebKitSession) {
    this.#session = session
  }

  evaluate<Result>(run: () => Result): Promise<Awaited<Result>>
  evaluate<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>
  async evaluate(run: (argument: unknown) => unknown, argument?: unknown): Promise<unknown> {
    const script = `
      const [argument, done] = arguments
      Promise.resolve(argument)
        .then(${run.toString()})
        .then((value) => done({ value }), (error) => done({ error: String(error) }))`
    const outcome = await this.#session.command('execute/async', { script, args: [argument ?? null] })
    const { value, error } = outcome as { value?: unknown; error?: string }
    if (error !== undefined) throw new Error(error)
    return value
  }

  async click<Argument>(find: (argument: Argument) => Element | null | undefined, argument: Argument): Promise<void> {
    const script = `return (${find.toString()})(arguments[0])`
    const found = (await this.#session.command('execute/sync', { script, args: [argument] })) as Record<string, string>
    // A reference to an element is an object with one field of a fixed name.
    const [element] = Object.values(found)
    await this.#session.command(`element/${element}/click`, {})
  }

  async reload(): Promise<void> {
    await this.#session.command('refresh', {})
  }

  /** Its only tab is left for an empty page. */
  async close(): Promise<void> {
    await this.#session.command('url', { url: 'about:blank' })
  }
}
