import { fingerprint, thumbnail } from './definitions.ts'

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
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height))
  const size = { width: Math.ceil(picture.width * scale), height: Math.ceil(picture.height * scale) }
  const canvas = Object.assign(document.createElement('canvas'), size)
  canvas.getContext('2d')?.drawImage(picture, 0, 0, size.width, size.height)
  // A result is JSON, so the small picture is kept as an address that holds it.
  const result = { from: `${picture.width} × ${picture.height}`, picture: canvas.toDataURL('image/jpeg', 0.8), ...size }
  picture.close()
  return result
})

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
