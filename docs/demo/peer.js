/** onnxruntime-web behind the little that the page needs of it, on one thread of WebAssembly. */

let loaded

/** Loads it from the folder `ort/` beside `dist/`. */
async function load() {
  const folder = new URL('../ort/', import.meta.url).href
  const ort = await import(`${folder}ort.wasm.bundle.min.mjs`)
  ort.env.wasm.numThreads = 1
  ort.env.wasm.wasmPaths = folder
  return ort
}

/** A session for the bytes of an ONNX file: `run(feeds)` gives tensors as Espalier has them. */
export async function openPeer(bytes) {
  loaded ??= load()
  const ort = await loaded
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
  })
  return {
    version: ort.env.versions.web,
    async run(feeds) {
      const given = Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
        name,
        new ort.Tensor(dtype, data, shape),
      ])
      const found = await session.run(Object.fromEntries(given))
      return Object.fromEntries(
        Object.entries(found).map(([name, { type, dims, data }]) => [
          name,
          { dtype: type, shape: [...dims], data },
        ]),
      )
    },
    release: () => session.release(),
  }
}
