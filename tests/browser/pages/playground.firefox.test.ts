import { startFirefox } from './firefox.ts'
import { visitThePlayground } from './playground.ts'

visitThePlayground((profile) => startFirefox({ profile }))
