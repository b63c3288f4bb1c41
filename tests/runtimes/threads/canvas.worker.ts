// Draws on a canvas that it was given when it was spawned, and hands out the picture.
import { defineJob } from '../../../src/index.ts'
import { exposeHandlers } from '../../../src/runtimes/worker/index.ts'

interface Canvas {
  getContext(kind: '2d'): {
    fillStyle: string
    fillRect(x: number, y: number, width: number, height: number): void
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Iterable<number> }
  }
  transferToImageBitmap(): object
}

interface Inside {
  addEventListener(type: 'message', listener: (event: { readonly data: { readonly canvas?: Canvas } }) => void): void
}

const canvas = new Promise<Canvas>((resolve) => {
  const inside = globalThis as unknown as Inside
  inside.addEventListener('message', ({ data }) => data.canvas && resolve(data.canvas))
})

const paint = defineJob({ type: 'paint' })

exposeHandlers(
  [
    paint.handler((colour, { state, output }) => {
      const context = (state as Canvas).getContext('2d')
      context.fillStyle = String(colour)
      context.fillRect(0, 0, 2, 2)
      const pixel = [...context.getImageData(0, 0, 1, 1).data]
      const picture = (state as Canvas).transferToImageBitmap()
      output(picture, { transfer: [picture] })
      return pixel
    }),
  ],
  { setup: () => canvas },
)
