import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../../playground/serve.mjs', import.meta.url))

/** Starts the playground in a way that it has to refuse. */
async function refusal(port: string, ...words: string[]): Promise<{ code: unknown; said: string }> {
  const server = spawn(process.execPath, [program, ...words], { env: { ...process.env, PORT: port } })
  const [said, ended] = await Promise.all([text(server.stderr), once(server, 'close')])
  return { code: ended[0], said }
}

test.each(['', 'http', '-1', '80.5', '0x50', '65536'])('PORT=%s is refused before anything is built', async (port) => {
  const { code, said } = await refusal(port)
  expect(code).toBe(2)
  expect(said).toContain(`\`${port}\``)
})

test('a port that is taken is refused and named', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const port = String((other.address() as AddressInfo).port)
  const { code, said } = await refusal(port)
  other.close()
  expect(code).toBe(2)
  expect(said).toContain(port)
  expect(said.trim().split('\n')).toHaveLength(1)
})

test('arguments are refused', async () => {
  const { code, said } = await refusal('0', '--open')
  expect(code).toBe(2)
  expect(said).toContain('--open')
})
