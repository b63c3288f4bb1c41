/**
 * `npm run playground:build [-- FOLDER]`: makes the page into files for any server of static files, in `playground/dist`
 * where no folder is named. What was in it is gone.
 */
import { join, resolve } from 'node:path'
import { build } from 'vite'

const { 2: folder } = process.argv
const outDir = folder === undefined ? join(import.meta.dirname, 'dist') : resolve(folder)
await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), logLevel: 'warn', build: { outDir } })
console.log(`holdfast: the files are in ${outDir}`)
