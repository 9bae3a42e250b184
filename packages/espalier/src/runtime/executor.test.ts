import { executorSuite } from './executor.suite.ts'
import { executors } from './executors.ts'

for (const executor of executors) executorSuite(executor)
