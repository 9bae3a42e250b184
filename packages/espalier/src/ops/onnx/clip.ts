/**
 * Limits to an interval, min(max, max(x, min)): `max` wins where the two cross. Bounds are attributes up to
 * opset 10 and optional inputs from 11 on; a missing bound is the last finite number of the data type. NaN
 * stays NaN.
 */
import { maxDims, minDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { type DType, isBigInt } from '../../tensor/dtype.ts'
import { bigints } from '../../tensor/elements.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { float, floats16, numeric, numeric16, type Schema } from '../schema.ts'
import { contentOf, holdsContents } from '../support/contents.ts'
import { commonDType, mapBigInts, mapNumbers } from '../support/elementwise.ts'
import { sameAsFirst } from '../support/infer.ts'
import {
  apply,
  constant,
  inputValue,
  isFloatStorage,
  isKnownNumber,
  lowerTo,
  type Value,
} from '../support/lower-elementwise.ts'
import { single } from '../support/scalars.ts'

const schema: Schema = { inputs: ['input: T', 'min?: T', 'max?: T'], outputs: ['output: T'] }
const float32Maximum = 3.4028234663852886e38
const maxima: Readonly<Partial<Record<DType, number>>> = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: float32Maximum,
  float64: Number.MAX_VALUE,
}

export const Clip: Op = {
  name: 'Clip',
  doc: 'Each element limited to an interval.',
  lower: lowerTo(lowerClip),
  versions: {
    6: {
      inputs: ['input: T'],
      outputs: ['output: T'],
      types: { T: floats16 },
      attributes: { max: float(float32Maximum), min: float(-float32Maximum) },
    },
    11: { ...schema, types: { T: floats16 } },
    12: { ...schema, types: { T: numeric16 } },
    13: { ...schema, types: { T: numeric } },
  },
  infer(c) {
    commonDType([c.dtype(0), c.dtype(1), c.dtype(2)])
    return sameAsFirst(c)
  },
  contents(c) {
    const unbounded = (index: number): readonly Dim[] | undefined =>
      c.hasInput(index) ? contentOf(c, index) : []
    const [x, min, max] = [contentOf(c, 0), unbounded(1), unbounded(2)]
    if (!holdsContents(c.dtype(0)) || x === undefined || min === undefined || max === undefined)
      return [undefined]
    if (min.length > 1 || max.length > 1) return [undefined]
    return [
      x.map(dim => {
        const raised = min.length === 1 ? maxDims(dim, min[0]!) : dim
        return max.length === 1 ? minDims(raised, max[0]!) : raised
      }),
    ]
  },
  evaluate(c) {
    const x = c.tensor(0)
    commonDType([x.dtype, c.optionalTensor(1)?.dtype, c.optionalTensor(2)?.dtype])
    if (isBigInt(x.dtype)) return [clipBigInts(c, x)]
    const [min, max] = bounds(c, x.dtype)
    return [mapNumbers(x, value => Math.min(max, Math.max(value, min)))]
  },
}

function bounds(c: EvaluateContext, dtype: DType): [min: number, max: number] {
  if (c.version < 11) return [c.attributes.float('min'), c.attributes.float('max')]
  const [min, max] = [c.optionalTensor(1), c.optionalTensor(2)]
  const limit = maxima[dtype] ?? Number.POSITIVE_INFINITY // every integer is below it
  return [min ? single(min, 'the minimum') : -limit, max ? single(max, 'the maximum') : limit]
}

function clipBigInts(c: EvaluateContext, x: Tensor): Tensor {
  const [min, max] = [
    bigBound(c.optionalTensor(1), 'the minimum'),
    bigBound(c.optionalTensor(2), 'the maximum'),
  ]
  return mapBigInts(x, value => {
    const raised = min !== undefined && value < min ? min : value
    return max !== undefined && raised > max ? max : raised
  })
}

function bigBound(bound: Tensor | undefined, what: string): bigint | undefined {
  if (bound === undefined) return undefined
  single(bound, what)
  return bigints(bound)[0]
}

function lowerClip(c: LowerContext): Value {
  const x = inputValue(c, 0)
  const floats = isFloatStorage(x.dtype)
  const limit = maxima[x.dtype] ?? 0
  const bound = (index: number, name: string, missing: number): Value | undefined => {
    if (c.version < 11) return constant(x.dtype, c.attributes.float(name))
    if (c.hasInput(index)) return inputValue(c, index)
    return floats ? constant(x.dtype, missing) : undefined
  }
  const [min, max] = [bound(1, 'min', -limit), bound(2, 'max', limit)]
  // The instruction lets a NaN of x pass, not one of a bound.
  if (floats && isKnownNumber(min!) && isKnownNumber(max!)) return apply('clip', x, min!, max!)
  const raised = min ? apply('max', x, min) : x
  return max ? apply('min', raised, max) : raised
}
