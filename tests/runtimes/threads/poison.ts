// What a handler may do to its thread, on either platform.
import type { HandlerContext } from '../../../src/index.ts'
import { MARK } from '../../../src/runtimes/threads/protocol.ts'

interface Inside {
  postMessage?(message: unknown): void
  close?(): void
  setTimeout(run: () => void): void
  readonly process?: {
    exit(code: number): void
    abort(): void
    getBuiltinModule(name: string): { readonly parentPort: { postMessage(message: unknown): void } }
  }
}

const inside = globalThis as unknown as Inside
const never = new Promise<never>(() => undefined)

function post(message: unknown): void {
  const port = inside.process?.getBuiltinModule('worker_threads').parentPort
  if (port === undefined) inside.postMessage?.(message)
  else port.postMessage(message)
}

const acts: Readonly<Record<string, (context: HandlerContext) => unknown>> = {
  exit: () => {
    if (inside.process === undefined) inside.close?.()
    else inside.process.exit(3)
    return never
  },
  crash: () => {
    inside.setTimeout(() => {
      throw new Error('outside of any handler')
    })
    return never
  },
  rejection: () => {
    void Promise.reject(new Error('nobody looks'))
    return never
  },
  memory: () => {
    const kept: unknown[] = []
    for (;;) kept.push(Array.from({ length: 100_000 }, (_, at) => ({ at })))
  },
  loop: () => {
    for (;;);
  },
  /** Blocks its thread for as many ms as its job is named. */
  block: ({ job }) => {
    const end = Date.now() + Number(job.id)
    while (Date.now() < end);
    return 'done'
  },
  silent: () => never,
  /** Says of its run, the first of this thread, that it has returned, twice; and things that are no messages. */
  liar: () => {
    const lie = { run: 1, kind: 'returned', value: 'a lie', chained: [] }
    const nonsense = [null, 7, { run: 1 }, { run: 1, kind: 'unheard of' }, { run: '1', kind: 'returned' }]
    post({ [MARK]: { kind: 'news', news: [...nonsense, lie, lie, { ...lie, run: 1e9 }] } })
    for (const other of [null, 7, 'text', {}, { [MARK]: null }, { [MARK]: { kind: 'news', news: 7 } }]) post(other)
    return 'the truth, too late'
  },
  good: () => 'good',
}

export function poisoned(how: unknown, context: HandlerContext): unknown {
  return acts[String(how)]?.(context)
}
