/**
 * ONNX's own operator cases on the reference executor. They are looked for in `ESPALIER_ONNX_CASES`, then in
 * `../shared/onnx-node-tests` beside the repository; without them this suite says that it skips.
 * `ONNX_CASES=<regular expression>` selects some.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseOnnx, parseValueProto } from '../formats/onnx/read.ts'
import type { Graph, ValueType } from '../graph/graph.ts'
import { runReference } from '../runtime/reference.ts'
import { formatShape } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue } from '../tensor/tensor.ts'
import { firstDifference } from '../tensor/testing.ts'

const folder =
  process.env.ESPALIER_ONNX_CASES ??
  join(import.meta.dirname, '../../../../../shared/onnx-node-tests')
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter(name => existsSync(join(folder, name, 'model.onnx')))
      .filter(name => new RegExp(process.env.ONNX_CASES ?? '').test(name))
  : []

describe.skipIf(names.length === 0)('ONNX operator cases', () => {
  test.each(names)('%s', name => {
    const graph = parseOnnx(readFileSync(join(folder, name, 'model.onnx')))
    const data = join(folder, name, 'test_data_set_0')
    const read = (side: 'input' | 'output', index: number, type: ValueType | undefined): RuntimeValue =>
      parseValueProto(readFileSync(join(data, `${side}_${index}.pb`)), valueKind(type))
    const outputs = runReference(
      graph,
      new Map(graph.inputs.map((input, index) => [input.name, read('input', index, input.type)])),
    )
    for (const [index, { name: output, type }] of graph.outputs.entries())
      compare(outputs.get(output)!, read('output', index, type), graph, output)
  })
})

function valueKind(type: ValueType | undefined): 'tensor' | 'sequence' | 'optional' {
  return type?.kind === 'sequence' || type?.kind === 'optional' ? type.kind : 'tensor'
}

function compare(got: RuntimeValue, wanted: RuntimeValue, graph: Graph, output: string): void {
  if (wanted === null || got === null) {
    expect(got).toBe(wanted)
    return
  }
  if (!isTensor(wanted) || !isTensor(got)) {
    if (isTensor(wanted) || isTensor(got)) throw new Error(`${output}: one is a tensor, the other a sequence`)
    expect(got.length).toBe(wanted.length)
    for (const [index, value] of wanted.entries()) compare(got[index]!, value, graph, `${output}[${index}]`)
    return
  }
  expect(`${got.dtype} ${formatShape(got.shape)}`).toBe(`${wanted.dtype} ${formatShape(wanted.shape)}`)
  expect(firstDifference(got, wanted, { relative: 1e-3, absolute: 1e-7 })).toBeUndefined()
}
