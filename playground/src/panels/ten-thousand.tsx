import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { attempt, notice } from '../actions.ts'
import { ledger } from '../bookkeeping.ts'
import { tiny } from '../jobs/definitions.ts'
import { queue } from '../queue.ts'
import { Measurement } from '../view/measurement.ts'

const JOBS = 10_000

export function TenThousand() {
  const place = useRef<HTMLDivElement>(null)
  const isBusy = useSignal(false)
  const summary = useSignal('Not run yet.')

  async function run(): Promise<void> {
    isBusy.value = true
    await attempt(async () => {
      // The chart's code is loaded when it is first needed.
      const { Chart } = await import('../view/chart.ts')
      if (place.current === null) return
      const chart = new Chart(place.current)
      const measurement = new Measurement()
      const stopListening = queue.on('completed', ({ job }) => measurement.add(job))
      const timer = setInterval(() => chart.show(measurement.points()), 250)
      // A second executor for the time being: it shows up among the sessions, too.
      const executor = queue.createExecutor({ handlers: [tiny.handler(() => null)], concurrency: 100 })
      try {
        const stored = await queue.enqueueMany(Array.from({ length: JOBS }, () => ({ job: tiny })))
        summary.value = `Stored in ${Math.round(measurement.elapsed())} ms. Running …`
        await ledger.acknowledged(stored.map(({ id }) => id))
        await executor.start()
        await measurement.until(JOBS)
        const seconds = measurement.elapsed() / 1000
        summary.value = `${JOBS.toLocaleString('en')} jobs in ${seconds.toFixed(2)} s: ${Math.round(JOBS / seconds).toLocaleString('en')} jobs a second, stored and run.`
        notice.value = `${JOBS.toLocaleString('en')} jobs are done.`
      } finally {
        await executor.stop()
        stopListening()
        clearInterval(timer)
        chart.show(measurement.points())
      }
    })
    isBusy.value = false
  }

  return (
    <>
      <div class="row">
        <button disabled={isBusy.value} onClick={() => void run()}>
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
