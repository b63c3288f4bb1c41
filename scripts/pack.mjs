/**
 * `npm run pack`: the package of what the sources are now; all arguments go to `npm pack`. That alone packs what `dist` holds
 * just then, in a fresh clone nothing: with install scripts off (.npmrc) npm runs no `prepack` either.
 */
import { bootstrap, exit, run } from './bootstrap.mjs'

await bootstrap().catch(exit)
const { exitCode } = await run(['npm', 'pack', ...process.argv.slice(2)]).catch(exit)
process.exitCode = exitCode
