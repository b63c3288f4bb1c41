// The Web Workers of ./runners.page.mjs.
import { exposeHandlers } from 'holdfast/worker'
import { hangs, noop, setup } from './runners.jobs.mjs'

exposeHandlers([noop.handler(async () => null), hangs], { setup })
