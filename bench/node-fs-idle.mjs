// What an executor without work costs: two processes on one folder, 20 s.
import { inFolder, Process } from './node-fs-place.mjs'
import { report } from './work.mjs'

const shares = await inFolder(async (folder) => {
  const processes = [new Process('idle', folder), new Process('idle', folder)]
  await Promise.all(processes.map((process) => process.says()))
  const said = processes.map((process) => process.says())
  for (const process of processes) process.tell('go')
  const found = await Promise.all(said)
  await Promise.all(processes.map((process) => process.stop()))
  return found
})
const most = 100 * Math.max(...shares)
report([{ what: 'node-fs idle executor, CPU', result: `${most.toFixed(2)} %`, aim: '≤ 0.5 %', met: most <= 0.5 }])
