// What a handler may do to its thread, on either platform.
import type { HandlerContext } from '../../../src/index.ts'
import { MARK } from '../../../src/runtimes/threads/protocol.ts'
import { untilAborted } from './jobs.ts'

interface Port {
  postMessage: (message: unknown) => void
}

interface Inside extends Port {
  close?(): void
  setTimeout(run: () => void): void
  readonly process?: {
    exit(code: number): void
    abort(): void
    getBuiltinModule(name: string): { readonly parentPort: Port }
  }
}

const inside = globalThis as unknown as Inside
const never = new Promise<never>(() => undefined)

function portOf(): Port {
  return inside.process?.getBuiltinModule('worker_threads').parentPort ?? inside
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
  deaf: (context) => untilAborted(context, false),
  /** Says of its run, the first of this thread, that it has returned, twice; and things that are no messages. */
  liar: () => {
    const lie = { run: 1, kind: 'returned', value: 'a lie', chained: [] }
    const nonsense = [null, 7, { run: 1 }, { run: 1, kind: 'unheard of' }, { run: '1', kind: 'returned' }]
    const port = portOf()
    port.postMessage({ [MARK]: { kind: 'news', news: [...nonsense, lie, lie, { ...lie, run: 1e9 }] } })
    for (const other of [null, 7, 'text', {}, { [MARK]: null }, { [MARK]: { kind: 'news', news: 7 } }])
      port.postMessage(other)
    return 'the truth, too late'
  },
  /** From now on its thread says everything twice. */
  twice: () => {
    const port = portOf()
    const say = port.postMessage.bind(port)
    port.postMessage = (message) => {
      say(message)
      say(message)
    }
    return 'twice'
  },
  good: () => 'good',
}

export function poisoned(how: unknown, context: HandlerContext): unknown {
  return acts[String(how)]?.(context)
}
