import type { Engine } from '../../../scripts/engines.mjs'

/** A browser that a test on Node drives from outside. */
export interface Browser<Opened extends Tab = Tab> extends AsyncDisposable {
  readonly engine: Engine
  /**
   * Opens a tab and resolves when its page has loaded. It hides the one before, whose timers then fire once a second at
   * most.
   */
  open(url: string, options?: OpenOptions): Promise<Opened>
  /** Ends the browser as its user would. Does nothing when it has ended. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** In a window of its own, where the tab before stays visible. Default false. */
  readonly apart?: boolean
  /** Runs in every page of the tab before the page's own scripts. It sees nothing around itself. */
  readonly before?: () => void
}

export interface Tab {
  /**
   * Runs a function in the page and answers what it resolves to. The function's text is sent: it sees nothing around
   * itself, and argument and result are JSON (`undefined` for nothing).
   */
  evaluate<Result>(run: () => Result): Promise<Awaited<Result>>
  evaluate<Argument, Result>(run: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>
  /** Clicks what the function, sent in the same way, finds in the page: with the pointer, as a person does. */
  click<Argument>(find: (argument: Argument) => Element | null | undefined, argument: Argument): Promise<void>
  /** Resolves when the page has loaded anew. */
  reload(): Promise<void>
  close(): Promise<void>
}

/** Functions that return at once there and by promise here. */
export type Remote<Exports> = {
  readonly [Name in keyof Exports as Exports[Name] extends (...args: never) => unknown
    ? Name
    : never]: Exports[Name] extends (...args: infer Arguments) => infer Result
    ? (...args: Arguments) => Promise<Awaited<Result>>
    : never
}

/**
 * What the page's script (`scripts: { '/page.js': … }`) exports, to be called from here:
 * `await pageOf<typeof import('./tabs.page.ts')>(tab).enqueue(3)`. Arguments and results are JSON.
 */
export function pageOf<Exports extends object>(tab: Tab): Remote<Exports> {
  const call =
    (name: string) =>
    (...args: readonly unknown[]) =>
      tab.evaluate(callPage, { name, args })
  return new Proxy({}, { get: (_, name) => call(String(name)) }) as Remote<Exports>
}

async function callPage({ name, args }: { name: string; args: readonly unknown[] }): Promise<unknown> {
  // In a task of the page's own: what a browser is told to run from outside may do what a policy forbids to pages.
  await new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = resolve
    port2.postMessage(null)
  })
  const { page } = globalThis as unknown as { page: Record<string, (...args: readonly unknown[]) => unknown> }
  const called = page[name]
  if (called === undefined) throw new Error(`The page's script exports no ${name}`)
  return called(...args)
}
