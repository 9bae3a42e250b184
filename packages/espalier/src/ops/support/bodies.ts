/**
 * What the operators that run body graphs share (`If`, `Loop`, `Scan`, `SequenceMap`): the types they take,
 * checks of a body against its node, carried values, and what an iteration's outputs become.
 */
import { EspalierError } from '../../errors.ts'
import type { Dim, Graph, ValueType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { formatShape, sameShape } from '../../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor, zeros } from '../../tensor/tensor.ts'
import {
  allTypes,
  allTypes13,
  allTypes19,
  allTypes21,
  allTypes23,
  allTypes24,
  allTypes25,
  optionalsOf,
  type Schema,
  sequencesOf,
  type TypeName,
} from '../schema.ts'
import { stack } from './pieces.ts'
import { joinTypes, withoutShapes } from './type-join.ts'

/**
 * Schemas of an operator that passes any value through, by version; `schema` makes one from the types
 * allowed.
 */
export function passingSchemas(schema: (V: readonly TypeName[]) => Schema): Record<number, Schema> {
  // Optional sequences did not get the newer element types.
  const any = (tensors: readonly DType[]): Schema =>
    schema([...tensors, ...sequencesOf(tensors), ...optionalsOf(tensors, allTypes13)])
  return {
    1: schema(allTypes),
    11: schema(allTypes),
    13: schema([...allTypes, ...sequencesOf(allTypes)]),
    16: any(allTypes13),
    19: any(allTypes19),
    21: any(allTypes21),
    23: any(allTypes23),
    24: any(allTypes24),
    25: any(allTypes25),
  }
}

/** Throws `invalid-graph` when a body does not take `inputs` values or does not give at least `outputs`. */
export function checkBody(body: Graph, inputs: number, outputs: number): void {
  if (body.inputs.length === inputs && body.outputs.length >= outputs) return
  throw new EspalierError('invalid-graph', `body "${body.name}" does not fit its node`, {
    expected: `${inputs} inputs and at least ${outputs} outputs`,
    got: `${body.inputs.length} inputs and ${body.outputs.length} outputs`,
  })
}

/**
 * The tensors among a body's outputs that are collected over iterations. Throws `bad-dtype` when one is none.
 */
export function collectable(value: RuntimeValue): Tensor {
  if (isTensor(value)) return value
  throw new EspalierError('bad-dtype', 'only tensors can be collected over iterations', {
    got: value === null ? 'an empty optional' : 'a sequence',
  })
}

/**
 * One output of a body over all iterations, stacked along `axis`. Without iterations, the type that the body
 * states for output `index` counts, with 0 for every unknown extent.
 */
export function stackIterations(parts: readonly Tensor[], axis: number, body: Graph, index: number): Tensor {
  const [first] = parts
  if (first === undefined) return noIterations(axis, body, index)
  for (const part of parts)
    if (part.dtype !== first.dtype || !sameShape(part.shape, first.shape))
      throw new EspalierError(
        'bad-shape',
        `output ${index} of the body changes from one iteration to another`,
        {
          expected: `${first.dtype} of ${formatShape(first.shape)}, as in the first`,
          got: `${part.dtype} of ${formatShape(part.shape)}`,
        },
      )
  return stack(parts, axis)
}

function noIterations(axis: number, body: Graph, index: number): Tensor {
  const { name, type } = body.outputs[index]!
  if (type?.kind !== 'tensor')
    throw new EspalierError('invalid-graph', 'no iteration ran and the body states no type for an output', {
      where: { tensor: name },
      expected: 'a tensor type with data type and shape',
    })
  const shape = (type.shape ?? []).map(extent => (typeof extent === 'number' ? extent : 0))
  const rank = shape.length + 1
  return zeros(type.dtype, shape.toSpliced(axis < 0 ? axis + rank : axis, 0, 0))
}

/**
 * Types of carried values that hold in every iteration. `iterate` gives the types after an iteration from
 * those before it; what changes from one to the next is lost.
 */
export function carriedTypes(
  initial: readonly (ValueType | undefined)[],
  iterate: (carried: readonly (ValueType | undefined)[]) => readonly (ValueType | undefined)[],
): (ValueType | undefined)[] {
  let carried = [...initial]
  for (let round = 0; ; round++) {
    const next = iterate(carried)
    const joined = carried.map((type, index) => {
      const common = joinTypes(type, next[index])
      // A shape that keeps changing would be taken apart one axis a round; bodies nest, so that rounds multiply.
      return common !== type && common !== undefined && round >= 2 ? withoutShapes(common) : common
    })
    if (joined.every((type, index) => type === carried[index])) return carried
    carried = joined
  }
}

/** A collected output: the type of one iteration with `extent` put in at `axis`. */
export function collectedType(one: ValueType | undefined, axis: number, extent: Dim): ValueType | undefined {
  if (one?.kind !== 'tensor') return undefined
  if (one.shape === undefined) return one
  const at = axis < 0 ? axis + one.shape.length + 1 : axis
  return { kind: 'tensor', dtype: one.dtype, shape: one.shape.toSpliced(at, 0, extent) }
}
