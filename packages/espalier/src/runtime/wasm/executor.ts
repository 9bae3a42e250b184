/** The executor on WebAssembly, on one thread. Sessions use more: workers come up only while the caller waits. */
import { engineExecutor } from '../engine/executor.ts'
import type { Executor } from '../executor.ts'
import { wasmBackend, wasmState } from './backend.ts'

export const wasm: Executor = engineExecutor(
  'wasm',
  wasmState,
  () => wasmBackend(),
  () => 1,
)
