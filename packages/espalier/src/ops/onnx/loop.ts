/**
 * Repetition of a body graph: for so many trips, while a condition holds, or both. Values are carried from
 * one iteration to the next, and further outputs of the body are collected over the iterations. A loop
 * without trip count whose condition never fails has no end; `maxIterations` of the executor bounds it.
 */
import { EspalierError } from '../../errors.ts'
import { symbolsOf } from '../../graph/dim.ts'
import { type Dim, type Graph, tensorType, type ValueType } from '../../graph/graph.ts'
import { type RuntimeValue, type Tensor, tensor } from '../../tensor/tensor.ts'
import type { InferContext, Op } from '../op.ts'
import { allTypes, required, type Schema, type TypeName } from '../schema.ts'
import {
  carriedTypes,
  checkBody,
  collectable,
  collectedType,
  passingSchemas,
  stackIterations,
} from '../support/bodies.ts'
import { single } from '../support/scalars.ts'

const version = (V: readonly TypeName[], initial = 'v_initial...?: V*'): Schema => ({
  inputs: ['M?: I', 'cond?: B', initial],
  outputs: ['v_final_and_scan_outputs...: V*'],
  types: { V, I: ['int64'], B: ['bool'] },
  attributes: { body: required('graph') },
})

export const Loop: Op = {
  name: 'Loop',
  doc: 'Runs `body` again and again, at most `M` times and while the condition holds.',
  versions: { ...passingSchemas(version), 1: version(allTypes, 'v_initial...: V*') },
  infer(c) {
    const body = c.attributes.graph('body')
    const initial = c.inputs.slice(2)
    checkBody(body, initial.length + 2, initial.length + 1)
    const control = [tensorType('int64', controlShape(body, 0)), tensorType('bool', controlShape(body, 1))]
    let outputs: readonly (ValueType | undefined)[] = []
    const carried = carriedTypes(initial, types => {
      outputs = c.inferGraph(body, [...control, ...types])
      return outputs.slice(1)
    })
    const trips = tripCount(c)
    return [...carried, ...outputs.slice(1 + carried.length).map(type => collectedType(type, 0, trips))]
  },
  evaluate(c) {
    const body = c.attributes.graph('body')
    let carried = c.inputs.slice(2).map((value, index): RuntimeValue => {
      if (value === undefined) throw new EspalierError('missing-input', `carried value ${index} is missing`)
      return value
    })
    const count = carried.length
    checkBody(body, count + 2, count + 1)
    const trips = c.hasInput(0) ? single(c.tensor(0), 'the trip count') : Number.POSITIVE_INFINITY
    const limit = c.maxIterations ?? Number.POSITIVE_INFINITY
    const checked = c.hasInput(1)
    const collected: Tensor[][] = body.outputs.slice(1 + count).map(() => [])

    let condition = !checked || single(c.tensor(1), 'the condition') !== 0
    for (let i = 0; i < trips && (condition || !checked); i++) {
      if (i >= limit)
        throw new EspalierError('too-large', `the loop has not ended after ${limit} iterations`, {
          hint: 'Raise maxIterations if it is meant to run longer',
        })
      const iteration = tensor('int64', controlShape(body, 0), BigInt64Array.of(BigInt(i)))
      const going = tensor('bool', controlShape(body, 1), Uint8Array.of(condition ? 1 : 0))
      const [next, ...outputs] = c.runGraph(body, [iteration, going, ...carried])
      condition = single(collectable(next!), "the body's condition") !== 0
      carried = outputs.slice(0, count)
      for (const [k, parts] of collected.entries()) parts.push(collectable(outputs[count + k]!))
    }
    return [...carried, ...collected.map((parts, k) => stackIterations(parts, 0, body, 1 + count + k))]
  },
}

/** Shape of the iteration number or the condition in the body: a scalar, but [1] where the body says so. */
function controlShape(body: Graph, index: number): number[] {
  const type = body.inputs[index]?.type
  return type?.kind === 'tensor' && type.shape?.length === 1 ? [1] : []
}

/** Number of iterations, where only the trip count decides it and it cannot be negative. */
function tripCount(c: InferContext): Dim {
  const trips = c.hasInput(0) && !c.hasInput(1) ? c.content(0)?.[0] : undefined
  if (typeof trips === 'number') return Math.max(trips, 0)
  return trips !== undefined && symbolsOf(trips)[0] === trips ? trips : null
}
