/** A tensor cut into pieces along an axis. */
import { EspalierError } from '../../errors.ts'
import { ceilDivideDims, multiplyDims, subtractDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape, normalizeAxis, stridesOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { EvaluateContext, InferContext, Op } from '../op.ts'
import { allTypes, allTypes13, int, optional, type Schema, type TypeName } from '../schema.ts'
import { notNegative } from '../support/bounds.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { allNumbers, givenList, inferredList } from '../support/integers.ts'
import { lowerView } from '../support/lower-movement.ts'
import { sliceAxis } from '../support/pieces.ts'

const outputs = ['outputs...: T']
const withAttribute = (T: readonly TypeName[]): Schema => ({
  inputs: ['input: T'],
  outputs,
  types: { T },
  attributes: { axis: int(0), split: optional('ints') },
})
const inputs = ['input: T', 'split?: int64']

export const Split: Op = {
  name: 'Split',
  doc: 'The input cut along `axis` into pieces of the given sizes, or of equal size.',
  versions: {
    2: withAttribute(allTypes),
    11: withAttribute(allTypes),
    13: { inputs, outputs, types: { T: allTypes13 }, attributes: { axis: int(0) } },
    18: {
      inputs,
      outputs,
      types: { T: allTypes13 },
      attributes: { axis: int(0), num_outputs: optional('int') },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    if (shape === undefined) return pieces(c).map(() => typed(c.dtype(0), undefined))
    const axis = normalizeAxis(c.attributes.int('axis'), shape.length)
    const sizes = sizesOf(c, shape[axis]!, inferredList(c, 'split', 1))
    return sizes.map(size => typed(c.dtype(0), shape.with(axis, size)))
  },
  contents(c) {
    const content = contentOf(c, 0)
    const sizes = content && allNumbers(sizesOf(c, content.length, inferredList(c, 'split', 1)))
    if (content === undefined || sizes === undefined) return pieces(c).map(() => undefined)
    return ranges(sizes).map(([start, end]) => content.slice(start, end))
  },
  evaluate(c) {
    const input = c.tensor(0)
    const axis = normalizeAxis(c.attributes.int('axis'), input.shape.length)
    const extent = input.shape[axis]!
    const sizes = sizesOf(c, extent, givenList(c, 'split', 1)) as readonly number[]
    return ranges(sizes).map(([start, end]) => sliceAxis(input, axis, start, end))
  },
  lower: lowerSplit,
}

/** The pieces have the extents of the outputs: no need to know how they came about. */
function lowerSplit(c: LowerContext): string | undefined {
  const { shape } = c.type(0)
  const axis = normalizeAxis(c.attributes.int('axis'), shape.length)
  const strides = stridesOf(shape)
  let start = 0
  for (let output = 0; output < c.outputCount; output++) {
    if (!c.hasOutput(output)) return 'a piece that is not wanted'
    const piece = c.outputType(output).shape
    const declined = lowerView(c, { shape: piece, strides, offset: start * strides[axis]! }, output)
    if (declined !== undefined) return declined
    start += piece[axis]!
  }
  return undefined
}

const pieces = (c: InferContext | EvaluateContext): readonly number[] => [...Array(c.outputCount).keys()]

/** Where each piece starts and ends. */
function ranges(sizes: readonly number[]): readonly (readonly [number, number])[] {
  let start = 0
  return sizes.map(size => {
    const end = start + size
    const range = [start, end] as const
    start = end
    return range
  })
}

/** The extent of each piece of an axis, checked as far as numbers are known. `given` is `null` when not known. */
function sizesOf(
  c: InferContext | EvaluateContext,
  extent: Dim,
  given: readonly Dim[] | null | undefined,
): readonly Dim[] {
  const stated = c.version >= 18 ? c.attributes.optionalInt('num_outputs') : undefined
  const count = stated ?? given?.length ?? c.outputCount
  if (count !== c.outputCount)
    throw new EspalierError('bad-argument', 'the number of pieces is not the number of outputs', {
      expected: `${c.outputCount} pieces`,
      got: `${count}`,
    })
  if (given === null) return pieces(c).map(() => null)
  if (given !== undefined) return checkSizes(given, extent)
  const size = ceilDivideDims(extent, count)
  if (c.version < 18 && typeof extent === 'number' && extent % count !== 0)
    throw new EspalierError('bad-shape', `an axis of ${extent} does not split into ${count} equal pieces`)
  // All pieces are equal but the last ones, which take what is left.
  return pieces(c).map(i => {
    const left = notNegative(subtractDims(extent, multiplyDims(size, i)))
    if (typeof left === 'number' && typeof size === 'number') return Math.min(left, size)
    return i === count - 1 ? left : size
  })
}

function checkSizes(sizes: readonly Dim[], extent: Dim): readonly Dim[] {
  const known = allNumbers(sizes)
  if (known === undefined) return sizes
  const sum = known.reduce((a, b) => a + b, 0)
  if (known.some(size => size < 0) || (typeof extent === 'number' && sum !== extent))
    throw new EspalierError('bad-shape', 'the sizes of the pieces do not add up to the axis', {
      expected: `${formatShape([extent])} in all`,
      got: `${known.join(' + ')}`,
    })
  return known
}
