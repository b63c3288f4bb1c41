import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { startCompanion } from './companion.ts'

/** A display in memory, on a number that nobody else uses. */
export interface VirtualDisplay {
  /** What a program takes as its `DISPLAY`. */
  readonly name: string
  close(): Promise<void>
}

/** Starts Xvfb, which picks the number itself and says it once it listens. */
export async function virtualDisplay(): Promise<VirtualDisplay> {
  const server = startCompanion('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const announcement = server.process.stdio[3] as Readable
  const [said] = (await Promise.race([
    once(announcement, 'data'),
    server.ended.then(() => Promise.reject(new Error('Xvfb ended before it listened'))),
  ])) as [Buffer]
  return {
    name: `:${said.toString().trim()}`,
    close: async () => {
      server.process.kill('SIGTERM')
      await server.ended
    },
  }
}
