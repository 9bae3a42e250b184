/**
 * One operator case on an executor beside the reference: the same values, or a refusal on both sides. Small integer
 * inputs become constants, as exported models have axes and shapes, so that kernels get to see them.
 */
import { EspalierError } from '../../src/errors.ts'
import type { Executor } from '../../src/runtime/executor.ts'
import { reference } from '../../src/runtime/reference.ts'
import type { DType } from '../../src/tensor/dtype.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import type { RuntimeValue } from '../../src/tensor/tensor.ts'
import { type Tolerance, valueDifference } from '../../src/tensor/testing.ts'
import type { PeerCase } from './case.ts'

/** Kernels compute in float32 where the reference does in float64. */
const tolerances: Partial<Record<DType, Tolerance>> = {
  float16: { relative: 4e-3, absolute: 1e-3 },
  bfloat16: { relative: 2e-2, absolute: 1e-2 },
}
const usual: Tolerance = { relative: 1e-4, absolute: 1e-5 }
/** Sums that are scaled and rounded to 8 bits: a tie in float64 may be none in float32. */
const rounded: Tolerance = { ...usual, steps: 1 }
const rounding = /^QLinear(Conv|MatMul)$/

type Values = ReadonlyMap<string, RuntimeValue>

/** Where an executor differs from the reference, in words. */
export function engineDifference(
  executor: Executor,
  { op, graph, feeds, tolerance }: PeerCase,
): string | undefined {
  const fixed = [...feeds].filter(([, value]) => value.dtype === 'int64' && sizeOf(value.shape) <= 16)
  const constants = new Map(fixed)
  const changed = {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !constants.has(name)),
    initializers: new Map([...graph.initializers, ...constants]),
  }
  const rest = new Map([...feeds].filter(([name]) => !constants.has(name)))
  const run = (on: Executor): Values | EspalierError => {
    try {
      using prepared = on.prepare(changed)
      return prepared.run(rest)
    } catch (error) {
      if (error instanceof EspalierError) return error
      throw error
    }
  }
  const wanted = run(reference)
  const got = run(executor)
  if (wanted instanceof EspalierError)
    return got instanceof EspalierError ? undefined : `gives values; the reference refuses: ${wanted.message}`
  if (got instanceof EspalierError) return `refuses: ${got.message}`
  for (const [name, value] of wanted) {
    const difference = valueDifference(
      got.get(name),
      value,
      ({ dtype }) => tolerance ?? tolerances[dtype] ?? (rounding.test(op) ? rounded : usual),
    )
    if (difference !== undefined) return `${name}: ${difference}`
  }
  return undefined
}
