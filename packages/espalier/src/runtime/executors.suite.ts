/** The executors that suites run on: all there are, and every variant of the native kernels that this processor has. */

import type { Executor } from './executor.ts'
import { executors } from './executors.ts'
import { nativeVariants } from './native/backend.ts'
import { nativeOn } from './native/executor.ts'

/** The best variant stands for `native` itself. */
export const testedExecutors: readonly Executor[] = [...executors, ...nativeVariants().slice(1).map(nativeOn)]
