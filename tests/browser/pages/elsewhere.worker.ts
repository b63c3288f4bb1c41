import { open } from './elsewhere.page.ts'

await open(self.name)
postMessage('open')
