import type { IncomingMessage, ServerResponse } from 'node:http'
import { Endpoint } from '../src/webhooks/endpoint.ts'

/** The endpoint that the page delivers its webhooks to, on the playground's own server. */
export function answerWebhooks(): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const endpoint = new Endpoint('the playground’s own server')
  return (request, response, next) => {
    const answer = endpoint.answer(request.method ?? 'GET', new URL(request.url ?? '/', 'http://localhost'))
    if (answer === null) {
      next()
      return
    }
    // Its body is of no interest, but has to be read for the connection to serve the next request.
    request.resume()
    response.writeHead(answer.status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(answer.body))
  }
}
