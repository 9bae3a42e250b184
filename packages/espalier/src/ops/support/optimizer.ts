/**
 * The optimiser operators of ai.onnx.preview.training: one update of any number of tensors. Inputs are the
 * learning rate R, the update count T, then all tensors, all their gradients, and all of each kind of state;
 * outputs are the tensors and the states anew. Computed in float64, rounded once.
 */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sameShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, InferContext, Op } from '../op.ts'
import type { AttributeSchema } from '../schema.ts'
import { single } from './scalars.ts'

/** One element after an update: its value, then its states. */
export type Update = (value: number, gradient: number, ...states: number[]) => readonly number[]

interface Header {
  readonly name: string
  readonly doc: string
  /** Number of states a tensor has. */
  readonly states: number
  readonly attributes: Readonly<Record<string, AttributeSchema>>
}

/** An optimiser operator. `rule` makes the update of one element from the attributes, R and T. */
export function optimizer(
  { name, doc, states, attributes }: Header,
  rule: (attributes: Attributes, rate: number, count: number) => Update,
): Op {
  const roles = states + 2 // the tensor, its gradient, its states
  return {
    name,
    domain: 'ai.onnx.preview.training',
    doc,
    versions: {
      1: {
        inputs: ['R: T1', 'T: T2', 'inputs...: T3*'],
        outputs: ['outputs...: T3*'],
        types: { T1: ['float32', 'float64'], T2: ['int64'], T3: ['float32', 'float64'] },
        attributes,
      },
    },
    infer(c: InferContext) {
      const count = tensorCount(c.inputs.length, roles)
      return c.inputs.slice(2).filter((_, index) => Math.floor(index / count) !== 1)
    },
    evaluate(c: EvaluateContext) {
      const count = tensorCount(c.inputs.length, roles)
      const update = rule(
        c.attributes,
        single(c.tensor(0), 'the learning rate'),
        single(c.tensor(1), 'the update count'),
      )
      const updated = Array.from({ length: count }, (_, index) =>
        updateTensor(
          Array.from({ length: roles }, (__, role) => c.tensor(2 + role * count + index)),
          update,
        ),
      )
      // Values of all tensors, then the first state of all, and so on.
      return Array.from({ length: states + 1 }, (_, role) => updated.map(list => list[role]!)).flat()
    },
  }
}

/** Number of tensors that are updated. */
function tensorCount(inputs: number, roles: number): number {
  const count = (inputs - 2) / roles
  if (Number.isInteger(count) && count > 0) return count
  throw new EspalierError('invalid-graph', 'the inputs do not make whole tensors with gradient and state', {
    expected: `2 inputs and a multiple of ${roles}`,
    got: `${inputs}`,
  })
}

/** A tensor and its states after the update, from tensor, gradient and states. */
function updateTensor(given: readonly Tensor[], update: Update): Tensor[] {
  const [tensor, , ...states] = given as [Tensor, Tensor, ...Tensor[]]
  for (const other of given)
    if (!sameShape(other.shape, tensor.shape))
      throw new EspalierError('bad-shape', 'gradient or state do not have the shape of their tensor', {
        expected: formatShape(tensor.shape),
        got: formatShape(other.shape),
      })
  const [value, slope, ...state] = given.map(numbers) as [Float64Array, Float64Array, ...Float64Array[]]
  const results = [tensor, ...states].map(() => new Float64Array(value.length))
  for (let i = 0; i < value.length; i++) {
    const next = update(value[i]!, slope[i]!, ...state.map(values => values[i]!))
    for (const [role, values] of results.entries()) values[i] = next[role]!
  }
  return [tensor, ...states].map(({ dtype, shape }, role) => fromNumbers(dtype, shape, results[role]!))
}
