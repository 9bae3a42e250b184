/** Numbers in equal steps. */
import { EspalierError } from '../../errors.ts'
import { addDims, ceilDivideDims, multiplyDims, subtractDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { isBigInt } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { InferContext, Op } from '../op.ts'
import { int, type TypeName } from '../schema.ts'
import { notNegative } from '../support/bounds.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { mostContents } from '../support/known-lengths.ts'
import { lowerConstant, type Steering, steeredInRun, steering } from '../support/lower-movement.ts'
import { outputSize } from '../support/movement.ts'

const types: readonly TypeName[] = ['float32', 'float64', 'int16', 'int32', 'int64']
const schema = { inputs: ['start: T', 'limit: T', 'delta: T'], outputs: ['output: T'] }

export const Range: Op = {
  name: 'Range',
  doc: 'The numbers from `start` to `limit` (not included) in steps of `delta`.',
  versions: {
    11: { ...schema, types: { T: types } },
    27: { ...schema, types: { T: [...types, 'float16', 'bfloat16'] }, attributes: { stash_type: int(1) } },
  },
  limits: 'stash_type other than float32 and float64',
  infer(c) {
    return [typed(c.dtype(0), [inferredCount(c)])]
  },
  contents(c) {
    const count = inferredCount(c)
    const [start, step] = [contentOf(c, 0)?.[0], contentOf(c, 2)?.[0]]
    if (start === undefined || step === undefined || typeof count !== 'number' || count > mostContents)
      return [undefined]
    return [Array.from({ length: count }, (_, i) => addDims(start, multiplyDims(step, i)))]
  },
  evaluate(c) {
    return [rangeOf(c)]
  },
  lower(c) {
    const steered = steering(c, 0, 1, 2)
    return steered === undefined ? steeredInRun : lowerConstant(c, rangeOf(steered))
  },
}

function rangeOf(c: Steering): Tensor {
  const [start, limit, delta] = [scalar(c, 0), scalar(c, 1), scalar(c, 2)]
  if (isBigInt(start.dtype)) return exactRange(start, limit, delta)
  return roundedRange(start, limit, delta, stash(c))
}

function scalar(c: Steering, index: number): Tensor {
  const source = c.tensor(index)
  if (source.shape.length <= 1 && source.data.length === 1) return source
  throw new EspalierError('bad-shape', 'start, limit and delta of a range are scalars', {
    got: `shape [${source.shape.join(', ')}]`,
  })
}

function zeroStep(): EspalierError {
  return new EspalierError('bad-argument', 'a range cannot have steps of 0', { where: { field: 'delta' } })
}

/** Number of elements as far as it is known. Constants that are no whole numbers count too. */
function inferredCount(c: InferContext): Dim {
  const constants = [0, 1, 2].map(index => c.constant(index))
  if (constants.every(value => value !== undefined && value.data.length === 1)) {
    const [start, limit, delta] = constants.map(value => numbers(value!)[0]!)
    return countOf(start!, limit!, delta!)
  }
  const [start, limit, delta] = [0, 1, 2].map(index => contentOf(c, index)?.[0] ?? null)
  if (typeof delta !== 'number' || delta === 0) return null
  const distance = delta > 0 ? subtractDims(limit!, start!) : subtractDims(start!, limit!)
  return ceilDivideDims(notNegative(distance), Math.abs(delta))
}

function countOf(start: number, limit: number, delta: number): number {
  if (delta === 0) throw zeroStep()
  const count = Math.ceil((limit - start) / delta)
  if (Number.isNaN(count))
    throw new EspalierError('bad-argument', 'a range between numbers that are not finite')
  return Math.min(Math.max(count, 0), Number.MAX_SAFE_INTEGER)
}

function exactRange(start: Tensor, limit: Tensor, delta: Tensor): Tensor {
  const [from, to, step] = [bigints(start)[0]!, bigints(limit)[0]!, bigints(delta)[0]!]
  if (step === 0n) throw zeroStep()
  const distance = step > 0n ? to - from : from - to
  const size = step > 0n ? step : -step
  const shape = [distance <= 0n ? 0 : Number((distance + size - 1n) / size)]
  const count = outputSize(start.dtype, [Math.min(shape[0]!, Number.MAX_SAFE_INTEGER)])
  const values = new BigInt64Array(count)
  let value = from
  for (let i = 0; i < count; i++) {
    values[i] = value
    value += step
  }
  return fromBigInts(start.dtype, shape, values)
}

/** Each element as `start + i * delta`, rounded once; with 16-bit floats in the precision that `round` gives. */
function roundedRange(start: Tensor, limit: Tensor, delta: Tensor, round: (value: number) => number): Tensor {
  const [from, to, step] = [numbers(start)[0]!, numbers(limit)[0]!, numbers(delta)[0]!]
  const shape = [countOf(from, to, step)]
  outputSize(start.dtype, shape)
  const values = new Float64Array(outputSize('float64', shape))
  for (let i = 0; i < values.length; i++) values[i] = round(from + round(i * step))
  return fromNumbers(start.dtype, shape, values)
}

/** Rounding to the type in which 16-bit ranges are computed: 1 is float32, 11 float64. */
function stash(c: Steering): (value: number) => number {
  const { dtype } = c.tensor(0)
  const type = dtype === 'float16' || dtype === 'bfloat16' ? c.attributes.int('stash_type') : 11
  if (type === 1) return Math.fround
  if (type === 11) return value => value
  throw new EspalierError('unsupported', `ranges cannot be computed in data type ${type}`, {
    where: { field: 'stash_type' },
    expected: '1 (float32) or 11 (float64)',
  })
}
