import type { Engine } from '../../../scripts/engines.mjs'
import type { Browser } from './browser.ts'
import { startChromium } from './chromium.ts'
import { startFirefox } from './firefox.ts'
import type { Profile } from './profile.ts'
import { startWebKit } from './webkit.ts'

/** Starts an engine's browser for a test that is the same in all of them: `startBrowser(inject('engine'), profile)`. */
export function startBrowser(engine: Engine, profile: Profile): Promise<Browser> {
  switch (engine) {
    case 'chromium':
      return startChromium({ profile })
    case 'firefox':
      return startFirefox({ profile })
    case 'webkit':
      return startWebKit()
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The engine that a test in this folder is to run in. */
    readonly engine: Engine
  }
}
