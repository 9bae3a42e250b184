/** The executors there are, best first. */
import type { Executor } from './executor.ts'
import { native } from './native/executor.ts'
import { reference } from './reference.ts'
import { wasm } from './wasm/executor.ts'

export const executors: readonly Executor[] = [native, wasm, reference]
