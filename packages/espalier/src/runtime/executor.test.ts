import { executorSuite } from './executor.suite.ts'
import { testedExecutors as executors } from './executors.suite.ts'

for (const executor of executors) executorSuite(executor)
