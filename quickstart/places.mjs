// Where the quickstart works.
import { fileURLToPath } from 'node:url'

export const work = fileURLToPath(new URL('../.holdfast/quickstart/', import.meta.url))
export const places = {
  jobs: `${work}jobs`,
  out: `${work}out`,
  unfinished: `${work}unfinished`,
  manifest: `${work}manifest.json`,
  turn: fileURLToPath(new URL('../.holdfast/quickstart-turn', import.meta.url)),
}
