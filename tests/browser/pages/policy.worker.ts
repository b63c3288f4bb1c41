import { forbidden, greeting, told } from './policy.page.ts'

const calls = { greeting, forbidden, told }

interface Call {
  readonly name: keyof typeof calls
  readonly argument: string
}

addEventListener('message', ({ data: { name, argument } }: MessageEvent<Call>) => {
  void Promise.resolve(calls[name](argument)).then((answer) => postMessage(answer))
})
