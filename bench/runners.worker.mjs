// The threads of ./runners.mjs.
import { exposeHandlers } from 'holdfast/worker'
import { hangs, hash, noop, setup } from './runners.jobs.mjs'
import { hashed } from './runners.work.mjs'

exposeHandlers([noop.handler(async () => null), hash.handler((rounds) => hashed(rounds)), hangs], { setup })
