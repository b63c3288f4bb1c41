import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Points } from './measurement.ts'

const HEIGHT = 220

/** Throughput and latency over time, in the colours of the page. */
export class Chart {
  readonly #plot: uPlot

  constructor(place: HTMLElement) {
    place.replaceChildren()
    // Asked for at each drawing, since the theme may change.
    const ink = (variable: string) => () => colour(place, variable)
    const [quiet, line, accent] = [ink('--quiet'), ink('--line'), ink('--accent')] as const
    const axis = { stroke: quiet, grid: { stroke: line }, ticks: { stroke: line } }
    this.#plot = new uPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false }, ms: {} },
        axes: [
          { ...axis, values: (_, seconds) => seconds.map((second) => `${second} s`) },
          {
            ...axis,
            size: 64,
            values: (_, rates) => rates.map((rate) => (rate >= 1000 ? `${rate / 1000} k/s` : `${rate}/s`)),
          },
          {
            ...axis,
            grid: { show: false },
            scale: 'ms',
            // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the right: the enumeration is only in the types
            side: 1,
            size: 76,
            values: (_, waits) => waits.map((wait) => `${wait} ms`),
          },
        ],
        series: [
          { label: 'time' },
          { label: 'jobs a second', stroke: accent, width: 2, points: { show: false } },
          {
            label: 'median wait',
            stroke: quiet,
            width: 1,
            dash: [4, 4],
            scale: 'ms',
            points: { show: false },
          },
        ],
        legend: { live: false },
        cursor: { show: false },
      },
      [[], [], []],
      place,
    )
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.redraw())
    new ResizeObserver(() => this.#plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place)
  }

  show([seconds, rates, waits]: Points): void {
    this.#plot.setData([seconds, rates, waits])
  }
}

/** A canvas knows nothing of variables, so one that is a colour is read where it has become one. */
function colour(place: HTMLElement, variable: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${variable})`
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
