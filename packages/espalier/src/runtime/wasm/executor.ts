/**
 * The executor on WebAssembly, on one thread, once its kernels are loaded (`await loadWasm(isa)`). Sessions load them
 * themselves, and have threads.
 */
import { engineExecutor } from '../engine/executor.ts'
import type { Executor } from '../executor.ts'
import { wasmBackend, wasmState } from './backend.ts'
import { isLoaded } from './module.ts'

export const wasm: Executor = engineExecutor(
  'wasm',
  () => {
    const state = wasmState()
    if (!state.ok || isLoaded(state.isa)) return state
    return {
      ok: false,
      reason: `the ${state.isa} kernels are not loaded: await loadWasm("${state.isa}") first`,
    }
  },
  () => wasmBackend(),
  () => 1,
)
