import { createHash } from 'node:crypto'

const BLOCK = Buffer.alloc(65_536, 'holdfast')

/** SHA-256 of so many blocks of 64 KiB. Of short texts it would be the work of the garbage collector. */
export function hashed(blocks) {
  const hash = createHash('sha256')
  for (let block = 0; block < blocks; block++) hash.update(BLOCK)
  return hash.digest('hex')
}

/** What a thread of piscina does with a task. */
export default function nothing() {
  return null
}
