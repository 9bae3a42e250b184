// Ours and the peers behind one interface: `open(file, { threads })` gives a model: `bind(feeds)` gives a
// function that runs it, `tensors` what that gives as a map; of ours, `held()` says what memory is for.
// Each loads its own packages only when it is opened, so that a process holds nothing of the other.
import { readFile } from 'node:fs/promises'

/** Who is measured against whom, by back end. */
export const backends = {
  native: { ours: 'native', peer: 'onnxruntime-node' },
  wasm: { ours: 'wasm', peer: 'onnxruntime-web' },
  reference: { ours: 'reference', peer: 'onnxruntime-node' },
}

/** Loads the runtime and gives a function that opens a model file with it. */
export async function loadRuntime(name) {
  const load = { 'onnxruntime-node': loadOrtNode, 'onnxruntime-web': loadOrtWeb }[name]
  return load === undefined ? loadOurs(name) : load()
}

async function loadOurs(backend) {
  const { session } = await import('espalier/runtime')
  return async (file, { threads }) => {
    const opened = await session(file, { backend, threads })
    return {
      bind: feeds => () => opened.run(feeds),
      tensors: outputs => new Map(Object.entries(outputs)),
      held: () => (backend === 'reference' ? {} : opened.memory()),
    }
  }
}

async function loadOrtNode() {
  const { default: ort } = await import('onnxruntime-node')
  return (file, { threads }) => openOrt(ort, file, { intraOpNumThreads: threads, interOpNumThreads: 1 })
}

async function loadOrtWeb() {
  const ort = await import('onnxruntime-web/wasm')
  const packaged = import.meta.resolve('onnxruntime-web/wasm')
  return async (file, { threads }) => {
    ort.env.wasm.numThreads = threads
    ort.env.wasm.wasmPaths = new URL('.', packaged).href
    return openOrt(ort, await readFile(file), { executionProviders: ['wasm'] })
  }
}

async function openOrt(ort, model, options) {
  const opened = await ort.InferenceSession.create(model, { logSeverityLevel: 3, ...options })
  return {
    bind(feeds) {
      const given = Array.from(feeds, ([name, { dtype, shape, data }]) => [
        name,
        new ort.Tensor(dtype, data, shape),
      ])
      const values = Object.fromEntries(given)
      return () => opened.run(values)
    },
    tensors: outputs =>
      new Map(
        Object.entries(outputs).map(([name, { type, dims, data }]) => [
          name,
          { dtype: type, shape: [...dims], data },
        ]),
      ),
  }
}
