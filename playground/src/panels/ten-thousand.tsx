import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { attempt, notice } from '../actions.ts'
import { ledger } from '../bookkeeping.ts'
import { tiny } from '../jobs/definitions.ts'
import { queue } from '../queue.ts'
import type { Chart } from '../view/chart.ts'
import { Measurement } from '../view/measurement.ts'

const JOBS = 10_000

export function TenThousand() {
  const place = useRef<HTMLDivElement>(null)
  const drawn = useRef<Chart | null>(null)
  const isBusy = useSignal(false)
  const summary = useSignal('Not run yet.')

  async function run(): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    const succeeded = await attempt(async () => {
      const chart = (drawn.current ??= await chartIn(place.current))
      const measurement = new Measurement()
      // Those of this run: somebody else may have enqueued others of their type.
      const open = new Set<string>()
      const stopListening = queue.on('completed', ({ job }) => open.delete(job.id) && measurement.add(job))
      const timer = setInterval(() => chart?.show(measurement.points()), 250)
      // A second executor for the time being: it shows up among the sessions, too.
      const executor = queue.createExecutor({ handlers: [tiny.handler(() => null)], concurrency: 100 })
      try {
        const stored = await queue.enqueueMany(Array.from({ length: JOBS }, () => ({ job: tiny })))
        summary.value = `Stored in ${Math.round(measurement.elapsed())} ms. Running …`
        for (const { id } of stored) open.add(id)
        await ledger.acknowledged([...open])
        await executor.start()
        await measurement.until(JOBS, () => areOver(open))
        summary.value = inWords(measurement.elapsed() / 1000, measurement.done)
        notice.value = `${count(JOBS)} jobs are done.`
      } finally {
        await executor.stop()
        stopListening()
        clearInterval(timer)
        chart?.show(measurement.points())
      }
    })
    if (!succeeded) summary.value = `It failed: ${notice.peek()}`
    isBusy.value = false
  }

  return (
    <>
      <div class="row">
        <button aria-disabled={isBusy.value} onClick={() => void run()}>
          10,000 jobs
        </button>
        <p class="about" id="many-summary">
          {summary}
        </p>
      </div>
      <div
        class="chart"
        ref={place}
        role="img"
        aria-label="Jobs a second and the time from storing to starting, over time"
      />
    </>
  )
}

function inWords(seconds: number, here: number): string {
  const others = here < JOBS ? ` This tab ran ${count(here)} of them, others the rest.` : ''
  return `${count(JOBS)} jobs in ${seconds.toFixed(2)} s: ${count(Math.round(JOBS / seconds))} jobs a second, stored and run.${others}`
}

function count(number: number): string {
  return number.toLocaleString('en')
}

/** Whether no tab has any of them left. Those that others have done are taken out. */
async function areOver(open: Set<string>): Promise<boolean> {
  for (const id of open) {
    const status = (await queue.get(id))?.status
    if (status === 'pending' || status === 'scheduled' || status === 'running') return false
    open.delete(id)
  }
  return true
}

/** Its code is loaded when it is first needed. `null`: it cannot be drawn here, and the jobs run all the same. */
async function chartIn(place: HTMLElement | null): Promise<Chart | null> {
  if (place === null) return null
  try {
    const { Chart } = await import('../view/chart.ts')
    return new Chart(place)
  } catch (error) {
    // For instance of a browser whose language is none: uPlot asks for one.
    place.textContent = `The chart cannot be drawn in this browser. ${String(error)}`
    return null
  }
}
