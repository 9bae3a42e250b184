/** The executor on native kernels. */
import { engineExecutor } from '../engine/executor.ts'
import type { Executor } from '../executor.ts'
import { defaultThreads } from '../threads.ts'
import { nativeBackend, nativeState } from './backend.ts'

export const native: Executor = engineExecutor('native', nativeState, () => nativeBackend(), defaultThreads)
