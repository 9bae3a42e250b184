/** The same elements under another shape. */
import { EspalierError } from '../../errors.ts'
import { differentDims, floorDivideDims, multiplyDims, productOfDims, sameDim } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { EvaluateContext, InferContext, Op } from '../op.ts'
import { allTypes, allTypes13, allTypes19, int } from '../schema.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { contentOrUnknown } from '../support/known-lengths.ts'
import { lowerAlias } from '../support/lower-movement.ts'
import { since21, versionsOf } from '../support/versions.ts'

const schema = { inputs: ['data: T', 'shape: int64'], outputs: ['reshaped: T'] }

export const Reshape: Op = {
  name: 'Reshape',
  doc: 'The input under another shape, in which 0 keeps an extent and -1 takes what is left.',
  versions: {
    ...versionsOf({ 5: allTypes, 13: allTypes13 }, T => ({ ...schema, types: { T } })),
    ...versionsOf({ 14: allTypes13, 19: allTypes19, ...since21 }, T => ({
      ...schema,
      types: { T },
      attributes: { allowzero: int(0) },
    })),
  },
  infer(c) {
    const target = contentOrUnknown(c, 1)
    return [typed(c.dtype(0), target && newShape(c.shape(0), target, keepsZero(c)))]
  },
  contents(c) {
    const rank = contentOrUnknown(c, 1)?.length
    return [rank === undefined || rank > 1 ? undefined : contentOf(c, 0)]
  },
  evaluate(c) {
    const data = c.tensor(0)
    const shape = newShape(data.shape, listOf(c.tensor(1), 'shape'), keepsZero(c)) as readonly number[]
    return [reshape(data, shape)]
  },
  lower: lowerAlias,
}

const keepsZero = (c: InferContext | EvaluateContext): boolean =>
  (c.attributes.optionalInt('allowzero') ?? 0) !== 0

/**
 * The shape that `target` asks for. The extent of -1 is the quotient of the products of all others, from which equal
 * extents have been cancelled: so `[n, s, 64]` as `[0, -1, 32]` is `[n, 2*s, 32]`, also where `n` is not known.
 */
function newShape(
  data: readonly Dim[] | undefined,
  target: readonly Dim[],
  keepZero: boolean,
): readonly Dim[] {
  const left: Dim[] = [...(data ?? [])]
  let free = -1
  const shape = target.map((wanted, axis): Dim => {
    if (wanted === 0 && !keepZero) {
      if (data !== undefined && axis >= data.length)
        throw unfit(data, target, `${data.length} axes to copy from`)
      if (data === undefined) return null
      left[axis] = 1
      return data[axis]!
    }
    if (wanted === -1) {
      if (free >= 0) throw unfit(data, target, 'one -1 at most')
      free = axis
      return null
    }
    if (typeof wanted === 'number' && wanted < 0) throw unfit(data, target, 'extents, 0 or -1')
    return wanted
  })
  if (keepZero && free >= 0 && target.includes(0)) throw unfit(data, target, 'no -1 beside a 0 that is kept')
  if (data === undefined) return shape
  const copied = (axis: number): boolean => target[axis] === 0 && !keepZero
  const divisors = shape.filter((_, axis) => axis !== free && !copied(axis))
  if (free < 0) {
    const empty = productOfDims(data) === 0 && productOfDims(shape) === 0
    if (!empty && differentDims(productOfDims(left), productOfDims(divisors)))
      throw unfit(data, target, 'as many elements')
    return shape
  }
  return shape.with(
    free,
    quotient(left, divisors, () => unfit(data, target, 'a whole extent for -1')),
  )
}

/** The product of `factors` over that of `divisors`. Throws what `fail` makes when that is certainly not whole. */
function quotient(factors: readonly Dim[], divisors: readonly Dim[], fail: () => EspalierError): Dim {
  const left = [...factors]
  let divisor: Dim = 1
  for (const extent of divisors) {
    const equal = left.findIndex(factor => sameDim(factor, extent))
    if (equal >= 0) left[equal] = 1
    else divisor = multiplyDims(divisor, extent)
  }
  const product = productOfDims(left)
  if (typeof product === 'number' && typeof divisor === 'number' && product % divisor !== 0) throw fail()
  return floorDivideDims(product, divisor)
}

function unfit(data: readonly Dim[] | undefined, target: readonly Dim[], expected: string): EspalierError {
  const from = data === undefined ? 'a tensor' : formatShape(data)
  return new EspalierError(
    'bad-shape',
    `cannot reshape ${from} to [${target.map(dim => dim ?? '?').join(', ')}]`,
    {
      expected,
    },
  )
}
