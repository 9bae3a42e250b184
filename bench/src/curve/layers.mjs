// The layers that curves are measured on, each a graph of one node: shapes of BERT-base and ResNet-50, and one token of a
// language model, whose weights come from memory (`cold`), since the caches hold what came before.
import { graphBuilder } from 'espalier/graph'
import { tensor } from 'espalier/tensor'
import { randomFloats, randomSource } from '../models/random.mjs'

const product = (rows, k, n) => ({
  build: (g, x) => g.node('MatMul', [x, weight(g, [k, n])]),
  input: [rows, k],
})
const pointwise = (extent, from, to) => ({
  build: (g, x) => g.node('Conv', [x, weight(g, [to, from, 1, 1])]),
  input: [1, from, extent, extent],
})

export const layers = [
  { name: 'BERT projection: 128 rows, 768 to 768', ...product(128, 768, 768) },
  { name: 'BERT feed-forward: 128 rows, 768 to 3072', ...product(128, 768, 3072) },
  { name: 'ResNet-50 1x1: 14x14 pixels, 256 to 1024', ...pointwise(14, 256, 1024) },
  { name: 'one token, from memory: 1 row, 2048 to 4096', ...product(1, 2048, 4096), cold: true },
]

function weight(g, shape) {
  const count = shape.reduce((a, b) => a * b, 1)
  return g.constant(tensor('float32', shape, randomFloats(randomSource(1), count)))
}

/** The graph of a layer. */
export function graphOfLayer({ input, build }) {
  const g = graphBuilder()
  g.output(build(g, g.input('x', 'float32', input)))
  return g.build()
}
