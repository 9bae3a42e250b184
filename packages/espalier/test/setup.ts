/**
 * Before any test: the WebAssembly kernels are loaded, so that the executor on them can run without waiting; and nothing is
 * measured to choose kernels, so that plans are the same on every machine.
 */
import { loadWasm, wasmVariants } from '../src/runtime/wasm/module.ts'

await Promise.all(wasmVariants().map(loadWasm))

process.env.ESPALIER_CALIBRATE = '0'
