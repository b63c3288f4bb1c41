import { createHash } from 'node:crypto'

/** SHA-256, again and again over what came of it. */
export function hashed(rounds) {
  let digest = Buffer.alloc(64)
  for (let round = 0; round < rounds; round++) digest = createHash('sha256').update(digest).digest()
  return digest.toString('hex')
}

/** What a thread of piscina does with a task. */
export default function nothing() {
  return null
}
