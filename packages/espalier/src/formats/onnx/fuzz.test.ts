/** Damaged models, read, analysed and written: each ends with a result or an `EspalierError`, soon and in little memory. */
import { expect, test } from 'vitest'
import { annotate, checkModel, foldConstants, infer, statistics } from '../../analysis/index.ts'
import { validate } from '../../graph/validate.ts'
import { fuzzSuite } from '../fuzz.suite.ts'
import { concatBytes } from '../io/bytes.ts'
import { structural } from './mutations.suite.ts'
import { parseOnnx } from './read.ts'
import { externalData, seeds } from './seeds.suite.ts'
import { encodeOnnx } from './write.ts'

/** What is done with a model before it runs; what was read and what comes of it, for the harness to weigh. */
function analyse(bytes: Uint8Array): unknown {
  const graph = validate(parseOnnx(bytes, { externalData }))
  checkModel(graph)
  statistics(graph)
  const annotated = annotate(graph, infer(graph))
  const folded = foldConstants(graph)
  parseOnnx(concatBytes(encodeOnnx(annotated)))
  return [annotated, folded]
}

test('the models to damage are whole', () => {
  for (const bytes of seeds) expect(checkModel(parseOnnx(bytes, { externalData })).problems).toEqual([])
})

// Types are followed through constants of up to 4096 elements, and up to 1 MiB is folded for a node.
const allowedBytes = (bytes: Uint8Array): number => 2 * bytes.length + 2 ** 24

fuzzSuite({ name: 'onnx', seeds, structural, parse: analyse, allowedBytes, count: 4_000 })
fuzzSuite({
  name: 'onnx structure',
  seeds,
  structural,
  structuralOnly: true,
  parse: analyse,
  allowedBytes,
  count: 6_000,
})
