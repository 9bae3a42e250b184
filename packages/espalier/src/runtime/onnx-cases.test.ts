/**
 * ONNX's own operator cases, on every executor. They are looked for in `ESPALIER_ONNX_CASES`, then in
 * `../shared/onnx-node-tests` beside the repository; without them this suite says that it skips.
 * `ONNX_CASES=<regular expression>` selects some.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { infer } from '../analysis/infer.ts'
import { parseOnnx, parseValueProto } from '../formats/onnx/read.ts'
import { evaluateDim } from '../graph/dim.ts'
import { type Graph, tensorType, type ValueType } from '../graph/graph.ts'
import { formatShape } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../tensor/tensor.ts'
import { firstDifference, type Tolerance } from '../tensor/testing.ts'
import type { Values } from './executor.ts'
import { executors } from './executors.ts'
import { reference } from './reference.ts'

const folder =
  process.env.ESPALIER_ONNX_CASES ?? join(import.meta.dirname, '../../../../../shared/onnx-node-tests')
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter(name => existsSync(join(folder, name, 'model.onnx')))
      .filter(name => new RegExp(process.env.ONNX_CASES ?? '').test(name))
  : []

const usual: Tolerance = { relative: 1e-3, absolute: 1e-7 }
/** Cases whose expected values are themselves only right to single precision of larger ones that cancelled. */
const cancelling = /^test_dft_inverse/

for (const executor of executors) {
  const state = executor.available()
  describe.skipIf(names.length === 0 || !state.ok)(`ONNX operator cases on ${executor.name}`, () => {
    test.each(names)('%s', name => {
      const { graph, feeds, wanted } = readCase(name)
      using prepared = executor.prepare(graph)
      const outputs = prepared.run(feeds)
      const tolerance = cancelling.test(name) ? { ...usual, absolute: 1e-6 } : usual
      for (const [output, value] of wanted) compare(outputs.get(output)!, value, output, tolerance)
      if (executor === reference) checkInference(graph, feeds, outputs)
    })
  })
}

/** A case: a model, and what it gives for what. */
function readCase(name: string): { readonly graph: Graph; readonly feeds: Values; readonly wanted: Values } {
  const graph = parseOnnx(readFileSync(join(folder, name, 'model.onnx')))
  const data = join(folder, name, 'test_data_set_0')
  const read = (side: 'input' | 'output'): Values =>
    new Map(
      graph[`${side}s`].map(({ name: value, type }, index) => [
        value,
        parseValueProto(readFileSync(join(data, `${side}_${index}.pb`)), valueKind(type)),
      ]),
    )
  return { graph, feeds: read('input'), wanted: read('output') }
}

/**
 * Inference must agree with evaluation. It is asked twice: with the shapes of the inputs, and with a symbol for every
 * extent, which must come out as the extents that were computed. Small integer inputs (axes, shapes) are constants in
 * both, as they are in exported models.
 */
function checkInference(graph: Graph, feeds: Values, outputs: Values): void {
  const fixed = new Map<string, ValueType>()
  const symbolic = new Map<string, ValueType>()
  const bindings = new Map<string, number>()
  const constants = new Map<string, Tensor>()
  for (const [name, value] of feeds) {
    if (!isTensor(value)) continue
    if (value.dtype === 'int64' && value.data.length <= 16) {
      constants.set(name, value)
      continue
    }
    fixed.set(name, tensorType(value.dtype, value.shape))
    const symbols = value.shape.map((extent, axis) => {
      bindings.set(`${name}_${axis}`, extent)
      return extent === 1 ? 1 : `${name}_${axis}` // what broadcasts depends on what is 1
    })
    symbolic.set(name, tensorType(value.dtype, symbols))
  }
  const bare: Graph = {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !constants.has(name)),
    outputs: graph.outputs.map(({ name }) => ({ name })),
    initializers: new Map([...graph.initializers, ...constants]),
    values: new Map(),
  }
  for (const inputs of [fixed, symbolic]) {
    const inferred = infer(bare, { inputs }).types
    for (const [name, value] of outputs) {
      const type = inferred.get(name)
      if (!isTensor(value) || type?.kind !== 'tensor') continue
      expect(type.dtype).toBe(value.dtype)
      if (type.shape === undefined) continue
      const known = type.shape.map((dim, axis) => evaluateDim(dim, bindings) ?? value.shape[axis])
      expect({ [name]: known, from: type.shape }).toEqual({ [name]: [...value.shape], from: type.shape })
    }
  }
}

function valueKind(type: ValueType | undefined): 'tensor' | 'sequence' | 'optional' {
  return type?.kind === 'sequence' || type?.kind === 'optional' ? type.kind : 'tensor'
}

function compare(got: RuntimeValue, wanted: RuntimeValue, output: string, tolerance: Tolerance): void {
  if (wanted === null || got === null) {
    expect(got).toBe(wanted)
    return
  }
  if (!isTensor(wanted) || !isTensor(got)) {
    if (isTensor(wanted) || isTensor(got)) throw new Error(`${output}: one is a tensor, the other a sequence`)
    expect(got.length).toBe(wanted.length)
    for (const [index, value] of wanted.entries())
      compare(got[index]!, value, `${output}[${index}]`, tolerance)
    return
  }
  expect(`${got.dtype} ${formatShape(got.shape)}`).toBe(`${wanted.dtype} ${formatShape(wanted.shape)}`)
  expect(firstDifference(got, wanted, tolerance)).toBeUndefined()
}
