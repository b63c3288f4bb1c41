// A new process opens a folder in which 1,000,000 jobs wait.
import { inFolder, openFolder, Process, segments } from './node-fs-place.mjs'
import { fill, report, whole } from './work.mjs'

const JOBS = 1_000_000

const { span, rss, bytes } = await inFolder(async (folder) => {
  const queue = await openFolder(folder)
  await fill(queue, JOBS)
  await queue.close()
  const [newest] = segments(folder).slice(-1)
  const other = new Process('reopen', folder)
  await other.says()
  const said = other.says()
  other.tell('go')
  const found = await said
  await other.stop()
  if (found.pending !== JOBS) throw new Error(`${found.pending} of ${JOBS} jobs are there`)
  return { ...found, bytes: newest.bytes }
})
report([
  {
    what: `node-fs opens ${whole(JOBS)} waiting jobs`,
    result: `${(span / 1000).toFixed(1)} s (newest segment ${whole(bytes / 1e6)} MB, process ${whole(rss / 1e6)} MB)`,
    aim: '≤ 10 s',
    met: span <= 10_000,
  },
])
