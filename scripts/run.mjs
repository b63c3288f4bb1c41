// `node scripts/run.mjs PROGRAM [ARGUMENTS]`: brings the clone up to date, then runs a program of this repository, in
// this very process, so that Ctrl-C and the exit code are the program's own.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bootstrap, exit, root } from './bootstrap.mjs'

const program = join(root, process.argv[2] ?? '')
await bootstrap().catch(exit)
// The program finds its arguments where it would if it had been started directly.
process.argv.splice(1, 2, program)
await import(pathToFileURL(program).href)
