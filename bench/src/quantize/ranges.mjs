// Calibration: the least and the largest value of activations when a float model runs, through onnxruntime.
import { encodeOnnx } from 'espalier/onnx'

/** `{ least, largest }` of each of `names`, inputs among them, for one run of `graph` on `feeds`. */
export async function measureRanges(graph, names, feeds) {
  const { default: ort } = await import('onnxruntime-node')
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  const made = names.filter(name => !inputs.has(name))
  const outputs = made.map(name => ({ name, type: { kind: 'tensor', dtype: 'float32' } }))
  const session = await ort.InferenceSession.create(Buffer.concat(encodeOnnx({ ...graph, outputs })))
  const given = Array.from(feeds, ([name, { dtype, shape, data }]) => [
    name,
    new ort.Tensor(dtype, data, shape),
  ])
  const values = await session.run(Object.fromEntries(given))
  const data = name => (inputs.has(name) ? feeds.get(name).data : values[name].data)
  return new Map(names.map(name => [name, rangeOf(data(name))]))
}

function rangeOf(data) {
  let least = Number.POSITIVE_INFINITY
  let largest = Number.NEGATIVE_INFINITY
  for (const value of data) {
    if (value < least) least = value
    if (value > largest) largest = value
  }
  return { least, largest }
}
