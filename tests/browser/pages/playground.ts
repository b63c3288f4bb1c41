import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser, Tab } from './browser.ts'
import { serveStaticFiles, startPlayground } from './playground-server.ts'
import { noteViolations, Visitor } from './playground-visitor.ts'
import { freshProfile, type Profile } from './profile.ts'

/** What a journey and the start may take, ms: all of them go at once, on a machine that runs other browsers as well. */
const PATIENCE = 180_000

/** What somebody does on the page, at an origin of its own, where nobody else's jobs are. */
export type Journey<Own extends Tab = Tab> = (title: string, go: (place: Place<Own>) => Promise<void>) => void

export interface Place<Own extends Tab = Tab> {
  /** The same server as others know it. */
  readonly address: string
  /** Where the same page stands as files, on a server that knows of files only. */
  readonly files: string
  /** Opens a tab on the playground, or on another address. */
  readonly visit: (address?: string) => Promise<Visitor<Own>>
}

/**
 * One server and one browser for all journeys of a file. They may go at the same time, since they mostly wait:
 * `*.localhost` is this machine, and each name an origin.
 */
export function journeysIn<Own extends Tab>(start: (profile: Profile) => Promise<Browser<Own>>): Journey<Own> {
  let playground: Awaited<ReturnType<typeof startPlayground>>
  let files: Awaited<ReturnType<typeof serveStaticFiles>>
  let profile: Profile
  let browser: Browser<Own>
  let origins = 0

  beforeAll(async () => {
    profile = await freshProfile()
    ;[playground, files, browser] = await Promise.all([startPlayground(), serveStaticFiles(), start(profile)])
  }, PATIENCE)
  afterAll(async () => {
    await browser.close()
    await profile.remove()
    await files[Symbol.asyncDispose]()
    expect(await playground.interrupt()).toBe(130)
  })

  return (title, go) =>
    test(
      title,
      async () => {
        const { address } = playground
        const own = address.replace('127.0.0.1', `journey-${++origins}.localhost`)
        const visitors: Visitor<Own>[] = []
        const visit = async (chosen = own): Promise<Visitor<Own>> => {
          // Apart, or those that are hidden would be slow.
          const visitor = new Visitor(await browser.open(chosen, { apart: true, before: noteViolations }))
          visitors.push(visitor)
          return visitor.arrive()
        }
        try {
          await go({ address, files: files.address, visit })
          for (const visitor of visitors) if (!visitor.hasLeft) await visitor.leave()
        } finally {
          // What a journey that failed leaves running would slow down the others.
          await Promise.allSettled(visitors.filter(({ hasLeft }) => !hasLeft).map((visitor) => visitor.abandon()))
        }
      },
      PATIENCE,
    )
}
