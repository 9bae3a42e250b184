/** Damaged models, read and analysed: each ends with a result or an `EspalierError`, soon and in little memory. */
import { expect, test } from 'vitest'
import { checkModel } from '../../analysis/check.ts'
import { annotate, infer } from '../../analysis/infer.ts'
import { validate } from '../../graph/validate.ts'
import { fuzzSuite } from '../fuzz.suite.ts'
import { structural } from './mutations.suite.ts'
import { parseOnnx } from './read.ts'
import { externalData, seeds } from './seeds.suite.ts'

/** What is done with a model before it runs; returns what was read, for the harness to weigh. */
function analyse(bytes: Uint8Array): unknown {
  const graph = validate(parseOnnx(bytes, { externalData }))
  checkModel(graph)
  return annotate(graph, infer(graph))
}

test('the models to damage are whole', () => {
  for (const bytes of seeds) expect(checkModel(parseOnnx(bytes, { externalData })).problems).toEqual([])
})

// Types are followed through constants of up to 4096 elements a value.
const allowedBytes = (bytes: Uint8Array): number => 2 * bytes.length + 2 ** 23

fuzzSuite({ name: 'onnx', seeds, structural, parse: analyse, allowedBytes })
fuzzSuite({ name: 'onnx structure', seeds, structural, structuralOnly: true, parse: analyse, allowedBytes })
