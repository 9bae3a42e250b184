/** Before any test: the WebAssembly kernels are loaded, so that the executor on them can run without waiting. */
import { loadWasm, wasmVariants } from '../src/runtime/wasm/module.ts'

await Promise.all(wasmVariants().map(loadWasm))
