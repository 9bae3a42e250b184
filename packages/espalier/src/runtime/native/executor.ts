/** The executor on native kernels. */
import type { Isa } from '../../plan/target.ts'
import { engineExecutor } from '../engine/executor.ts'
import type { Executor } from '../executor.ts'
import { defaultThreads } from '../threads.ts'
import { nativeBackend, nativeState } from './backend.ts'

/** On the best variant of the kernels. */
export const native: Executor = engineExecutor('native', nativeState, () => nativeBackend(), defaultThreads)

/** On a variant that this processor runs. */
export function nativeOn(isa: Isa): Executor {
  return engineExecutor(`native ${isa}`, nativeState, () => nativeBackend(isa), defaultThreads)
}
