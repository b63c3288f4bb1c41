import { ErrandContext } from './errands.ts'

const context = await ErrandContext.open(self.name)
await context.start()
await context.enqueueOrders()
