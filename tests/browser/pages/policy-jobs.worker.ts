import { exposeHandlers } from 'holdfast/worker'
import { greet, told } from './policy.page.ts'

exposeHandlers([greet.handler(async (name) => [`Hello ${String(name)}`, (await told()).length])])
