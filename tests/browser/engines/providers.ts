import { playwright } from '@vitest/browser-playwright'
import type { BrowserProviderOption } from 'vitest/node'
import { browserOf, type Engine, isInstalled } from '../../../scripts/engines.mjs'
import { chromiumArguments } from './chromium-arguments.ts'
import { webkitgtk } from './webkitgtk-provider.ts'

/** How Vitest opens a page in each engine. Looked at for all of them whatever runs, so a missing browser is no error yet. */
export const providers: Readonly<Record<Engine, BrowserProviderOption>> = {
  chromium: playwright({ launchOptions: { args: [...chromiumArguments], ...installed('chromium') } }),
  firefox: playwright({
    launchOptions: { channel: 'moz-firefox', ...installed('firefox') },
    // Firefox's own protocol has no emulation of these, and Playwright would ask for it.
    contextOptions: { colorScheme: null, reducedMotion: null, forcedColors: null, contrast: null },
  }),
  webkit: webkitgtk(),
}

function installed(engine: Engine): { executablePath?: string } {
  return isInstalled(engine) ? { executablePath: browserOf(engine) } : {}
}
