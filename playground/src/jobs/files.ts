import { fingerprint, resize, thumbnail } from './definitions.ts'

export const fingerprinting = fingerprint.handler(async ({ file }, { progress, signal }) => {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  progress(0.5)
  signal.throwIfAborted()
  const compressed = await new Response(file.stream().pipeThrough(new CompressionStream('gzip'))).blob()
  return { sha256: hex(digest), bytes: file.size, gzipped: compressed.size }
})

/** The longer side of a thumbnail, in pixels. */
const SIDE = 160

export const shrinking = thumbnail.handler(async ({ file }) => {
  const picture = await createImageBitmap(file)
  const result = small(picture)
  picture.close()
  return result
})

export const resizing = resize.handler(({ id }) => {
  const [canvas, brush] = paper(640, 480)
  brush.fillStyle = `hsl(${(id * 137) % 360} 45% 45%)`
  brush.fillRect(0, 0, canvas.width, canvas.height)
  brush.fillStyle = 'white'
  brush.font = '240px sans-serif'
  brush.textAlign = 'center'
  brush.fillText(String(id), canvas.width / 2, 320)
  return small(canvas)
})

/** A result is JSON, so the small picture is kept as an address that holds it. */
function small(picture: ImageBitmap | HTMLCanvasElement) {
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height))
  const size = { width: Math.ceil(picture.width * scale), height: Math.ceil(picture.height * scale) }
  const [canvas, brush] = paper(size.width, size.height)
  // A JPEG has no transparency: what is transparent would be black.
  brush.fillStyle = 'white'
  brush.fillRect(0, 0, size.width, size.height)
  brush.drawImage(picture, 0, 0, size.width, size.height)
  return { from: `${picture.width} × ${picture.height}`, picture: canvas.toDataURL('image/jpeg', 0.8), ...size }
}

function paper(width: number, height: number): readonly [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const brush = canvas.getContext('2d')
  if (brush === null) throw new Error('This browser cannot draw now')
  return [canvas, brush]
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
