/** `npm run playground:build`: makes the page into files for any server of static files. */
import { join } from 'node:path'
import { build } from 'vite'

await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), logLevel: 'warn' })
console.log('holdfast: the files are in playground/dist')
