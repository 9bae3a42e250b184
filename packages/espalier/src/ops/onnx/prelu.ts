/**
 * Rectifier with a slope below zero for each element or channel: the slope is broadcast to the input, never
 * the input.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import { isBigInt, isInteger } from '../../tensor/dtype.ts'
import { broadcastShapes, formatShape, sameShape } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { floats16, highPrecision, highPrecision16, type Schema } from '../schema.ts'
import { commonDType, zipBigInts, zipNumbers } from '../support/elementwise.ts'
import { broadcastDims, typed } from '../support/infer.ts'
import {
  apply,
  choose,
  compare,
  constant,
  inputValue,
  isFloatStorage,
  lowerTo,
  type Value,
} from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T', 'slope: T'], outputs: ['Y: T'] }

export const PRelu: Op = {
  name: 'PRelu',
  doc: 'x, and slope * x below zero, element by element.',
  lower: lowerTo(c => sloped(inputValue(c, 0), inputValue(c, 1))),
  versions: {
    7: { ...schema, types: { T: floats16 } },
    9: { ...schema, types: { T: highPrecision16 } },
    16: { ...schema, types: { T: highPrecision } },
  },
  infer(c) {
    const [x, slope] = [c.shape(0), c.shape(1)]
    const shape = broadcastDims(x, slope)
    if (
      shape !== undefined &&
      (shape.length > x!.length || shape.some((dim, axis) => differentDims(dim, x![axis]!)))
    )
      throw doesNotFit(x!, slope!)
    return [typed(commonDType([c.dtype(0), c.dtype(1)]), x)]
  },
  evaluate(c) {
    const [x, slope] = [c.tensor(0), c.tensor(1)]
    const dtype = commonDType([x.dtype, slope.dtype])!
    if (!sameShape(broadcastShapes(x.shape, slope.shape), x.shape)) throw doesNotFit(x.shape, slope.shape)
    if (isBigInt(dtype)) return [zipBigInts(x, slope, (value, by) => (value < 0n ? value * by : value))]
    const multiply = isInteger(dtype) ? Math.imul : (value: number, by: number) => value * by
    return [zipNumbers(x, slope, (value, by) => (value < 0 ? multiply(value, by) : value))]
  },
}

function doesNotFit(
  x: readonly (number | string | null)[],
  slope: readonly (number | string | null)[],
): EspalierError {
  return new EspalierError('bad-shape', 'the slope does not broadcast to the input', {
    expected: `a shape that broadcasts to ${formatShape(x)}`,
    got: formatShape(slope),
    hint: 'A slope per channel of an image has shape [channels, 1, 1].',
  })
}

function sloped(x: Value, slope: Value): Value {
  if (isFloatStorage(x.dtype)) return apply('leaky_relu', x, slope)
  return choose(compare('less', x, constant(x.dtype, 0)), apply('mul', x, slope), x)
}
