// `npm run torture`: see arguments.mjs for what it takes, torture.mjs for what it does.
import { tortureOptions, UsageError, usage } from './arguments.mjs'
import { dyingJob } from './dying-job.mjs'
import { summary } from './summary.mjs'
import { torture } from './torture.mjs'

try {
  const options = tortureOptions(process.argv.slice(2))
  if (options === null) console.log(usage)
  else process.exitCode = await run(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`torture: ${error.message}`)
  process.exitCode = 2
}

/** @param {import('./torture.mjs').TortureOptions} options @returns {Promise<number>} the exit code */
async function run(options) {
  const { seconds, processes, seed, rollAt } = options
  console.log(`Torture: ${seconds} s, ${processes} processes, rolls from ${rollAt} bytes, --seed ${seed}`)
  const outcome = await torture(options)
  console.log(summary(outcome))

  console.log('\nA job that kills its process each time, with the default of 3 interruptions:')
  const dying = await dyingJob()
  console.log(`${dying.starts} starts, then ${dying.status}: ${dying.reason}. Its neighbour: ${dying.neighbour}`)
  return (outcome.verdict === 'held' || outcome.verdict === 'too short') && dying.holds ? 0 : 1
}
