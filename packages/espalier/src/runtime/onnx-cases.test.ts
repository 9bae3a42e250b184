/** ONNX's own operator cases, on every executor; without their files this suite says that it skips. */
import { describe, expect, test } from 'vitest'
import { infer } from '../analysis/infer.ts'
import { evaluateDim } from '../graph/dim.ts'
import { type Graph, tensorType, type ValueType } from '../graph/graph.ts'
import { isTensor, type Tensor } from '../tensor/tensor.ts'
import type { Values } from './executor.ts'
import { testedExecutors as executors } from './executors.suite.ts'
import { caseNames, caseReader } from './onnx-case-files.suite.ts'
import { caseDifference, parseCase } from './onnx-cases.suite.ts'
import { reference } from './reference.ts'

const names = caseNames()

for (const executor of executors) {
  const state = executor.available()
  describe.skipIf(names.length === 0 || !state.ok)(`ONNX operator cases on ${executor.name}`, () => {
    test.each(names)('%s', name => {
      const one = parseCase(name, caseReader(name))
      const { graph, feeds } = one
      using prepared = executor.prepare(graph)
      const outputs = prepared.run(feeds)
      expect(caseDifference(one, outputs)).toBeUndefined()
      if (executor === reference) checkInference(graph, feeds, outputs)
    })
  })
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
