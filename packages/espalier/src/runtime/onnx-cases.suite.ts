/**
 * ONNX's own operator cases: what a case is, and when an executor has it right. For tests in Node and in browsers, and
 * so without a file system or a test runner.
 */
import { parseOnnx, parseValueProto } from '../formats/onnx/read.ts'
import type { Graph, ValueType } from '../graph/graph.ts'
import { type Tolerance, valueDifference } from '../tensor/testing.ts'
import type { Values } from './executor.ts'

/** A model, and what it gives for what. */
export interface OnnxCase {
  readonly name: string
  readonly graph: Graph
  readonly feeds: Values
  readonly wanted: Values
}

const usual: Tolerance = { relative: 1e-3, absolute: 1e-7 }
/** Cases whose expected values are themselves only right to single precision of larger ones that cancelled. */
const cancelling = /^test_dft_inverse/

/** A case from its files, which `read` gives by their paths in the folder of the case. */
export function parseCase(name: string, read: (path: string) => Uint8Array): OnnxCase {
  const graph = parseOnnx(read('model.onnx'))
  const values = (side: 'input' | 'output'): Values =>
    new Map(
      graph[`${side}s`].map(({ name: value, type }, index) => [
        value,
        parseValueProto(read(`test_data_set_0/${side}_${index}.pb`), valueKind(type)),
      ]),
    )
  return { name, graph, feeds: values('input'), wanted: values('output') }
}

/** Where outputs are not those of the case, in words. */
export function caseDifference({ name, wanted }: OnnxCase, outputs: Values): string | undefined {
  const tolerance = cancelling.test(name) ? { ...usual, absolute: 1e-6 } : usual
  for (const [output, value] of wanted) {
    const difference = valueDifference(outputs.get(output), value, () => tolerance)
    if (difference !== undefined) return `${output}: ${difference}`
  }
  return undefined
}

function valueKind(type: ValueType | undefined): 'tensor' | 'sequence' | 'optional' {
  return type?.kind === 'sequence' || type?.kind === 'optional' ? type.kind : 'tensor'
}
