/** The executors there are, best first. */
import type { Executor } from './executor.ts'
import { reference } from './reference.ts'

export const executors: readonly Executor[] = [reference]
