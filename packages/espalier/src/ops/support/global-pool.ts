/** Pools over whole planes: every spatial axis shrinks to extent 1. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { type AttributeSchema, floats, floats16, type Schema, type TypeName } from '../schema.ts'
import { typed } from './infer.ts'
import { lowerReduction, type Reduction } from './lower-reduce.ts'
import { outputSize } from './movement.ts'

interface GlobalPool extends Pick<Op, 'name' | 'doc'> {
  /** Version of the first schema that is in force at operator set 7. */
  readonly since: number
  readonly attributes?: Readonly<Record<string, AttributeSchema>>
  /** The kernel's reduction; left out where there is none. */
  readonly reduction?: Reduction
  /** What is done to one plane; made once a run, from the attributes. */
  pool(c: EvaluateContext): (plane: Float64Array) => number
}

/** An operator [N, C, ...] to [N, C, 1, ...]. */
export function globalPool({ name, doc, since, attributes, reduction, pool }: GlobalPool): Op {
  const version = (T: readonly TypeName[]): Schema => ({
    inputs: ['X: T'],
    outputs: ['Y: T'],
    types: { T },
    ...(attributes && { attributes }),
  })
  return {
    name,
    doc,
    versions: { [since]: version(floats16), 22: version(floats) },
    infer(c) {
      const shape = c.shape(0)
      return [typed(c.dtype(0), shape && pooledShape(shape))]
    },
    ...(reduction && {
      lower: (c: LowerContext) =>
        lowerReduction(
          c,
          reduction,
          c
            .type(0)
            .shape.map((_, axis) => axis)
            .slice(2),
        ),
    }),
    evaluate(c) {
      const x = c.tensor(0)
      const shape = pooledShape(x.shape)
      const values = numbers(x)
      const reduce = pool(c)
      const size = sizeOf(x.shape.slice(2))
      const y = Array.from({ length: outputSize('float64', shape) }, (_, plane) =>
        reduce(values.subarray(plane * size, (plane + 1) * size)),
      )
      return [fromNumbers(x.dtype, shape, y)]
    },
  }
}

function pooledShape<D extends Dim>(shape: readonly D[]): (D | 1)[] {
  if (shape.length >= 2) return shape.map((extent, axis) => (axis < 2 ? extent : 1))
  throw new EspalierError('bad-shape', 'the input has no batch and channel axes', {
    expected: 'rank 2 or more',
    got: formatShape(shape),
  })
}
