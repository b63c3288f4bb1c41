import { keepsTheContract } from '../core/kit.ts'
import { storages } from './storages.ts'

for (const storage of storages) keepsTheContract(storage)
