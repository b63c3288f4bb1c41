import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser, Tab } from './browser.ts'
import { type Playground, startPlayground } from './playground-server.ts'
import { Visitor } from './playground-visitor.ts'
import { freshProfile, type Profile } from './profile.ts'

/** What somebody does on the page, at an origin of its own, where nobody else's jobs are. */
export type Journey<Own extends Tab = Tab> = (title: string, go: (place: Place<Own>) => Promise<void>) => void

export interface Place<Own extends Tab = Tab> {
  /** The same server as others know it. */
  readonly address: string
  /** Opens a tab on the playground, or on another address. */
  readonly visit: (address?: string) => Promise<Visitor<Own>>
}

/**
 * One server and one browser for all journeys of a file. They may go at the same time, since they mostly wait:
 * `*.localhost` is this machine, and each name an origin.
 */
export function journeysIn<Own extends Tab>(start: (profile: Profile) => Promise<Browser<Own>>): Journey<Own> {
  let playground: Playground
  let profile: Profile
  let browser: Browser<Own>
  let origins = 0

  beforeAll(async () => {
    profile = await freshProfile()
    ;[playground, browser] = await Promise.all([startPlayground(), start(profile)])
  })
  afterAll(async () => {
    await browser.close()
    await profile.remove()
    expect(await playground.interrupt()).toBe(130)
  })

  return (title, go) =>
    test(title, async () => {
      const { address } = playground
      const own = address.replace('127.0.0.1', `journey-${++origins}.localhost`)
      const visitors: Visitor<Own>[] = []
      await go({
        address,
        visit: async (chosen = own) => {
          // Apart, or those that are hidden would be slow.
          const visitor = await new Visitor(await browser.open(chosen, { apart: true })).arrive()
          visitors.push(visitor)
          return visitor
        },
      })
      for (const visitor of visitors) if (!visitor.hasLeft) await visitor.leave()
    })
}
