/** The two normalisations of a sum over its last axis: they differ in the moments. */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { float, floats } from '../schema.ts'
import { linesAlong } from './lines.ts'
import { lowerTrailing } from './lower-normalize.ts'
import { type Moments, vectorOf } from './normalize.ts'

/**
 * The operator with inputs x, residual?, and `vectors` of one number for each position of the last axis: scale, and
 * perhaps bias.
 */
export function skipNormalization(
  names: Pick<Op, 'name' | 'doc'>,
  vectors: readonly string[],
  mode: 'layer' | 'rms',
  momentsOf: (x: Float64Array, start: number, steps: Uint32Array) => Moments,
): Op {
  return {
    ...names,
    domain: 'espalier',
    versions: {
      1: {
        inputs: ['x: T', 'residual?: T', ...vectors],
        outputs: ['y: T', 'sum?: T'],
        types: { T: floats },
        attributes: { epsilon: float(1e-5) },
      },
    },
    infer: c => [c.inputs[0], c.inputs[0]].slice(0, c.outputCount),
    lower(c) {
      const width = c.type(0).shape.at(-1) ?? 1
      if ([2, 3].some(index => c.hasInput(index) && sizeOf(c.type(index).shape) !== width))
        return 'the scale or the bias does not fit the last axis'
      return lowerTrailing(c, mode, -1, { residual: 1, scale: 2, bias: 3, sum: 1 })
    },
    evaluate(c) {
      const [x, residual] = [c.tensor(0), c.optionalTensor(1)]
      if (residual && !sameShape(x.shape, residual.shape))
        throw new EspalierError('bad-shape', 'the residual does not have the shape of x', {
          expected: formatShape(x.shape),
          got: formatShape(residual.shape),
        })
      const width = x.shape.at(-1) ?? 1
      const scale = vectorOf(c.tensor(2), width, 'the scale')
      const shift = c.optionalTensor(3)
      const bias = shift && vectorOf(shift, width, 'the bias')
      const addend = residual && numbers(residual)
      // Rounded, as the sum that is given is.
      const sum = fromNumbers(
        x.dtype,
        x.shape,
        addend ? numbers(x).map((value, i) => value + addend[i]!) : numbers(x),
      )
      const values = numbers(sum)
      const y = new Float64Array(values.length)
      const { starts, steps } = linesAlong(x.shape, x.shape.length === 0 ? [] : [x.shape.length - 1])
      const epsilon = c.attributes.float('epsilon')
      for (const start of starts) {
        const { mean, variance } = momentsOf(values, start, steps)
        const inverse = 1 / Math.sqrt(variance + epsilon)
        for (const [i, step] of steps.entries())
          y[start + step] = (values[start + step]! - mean) * inverse * scale[i]! + (bias?.[i] ?? 0)
      }
      return [fromNumbers(x.dtype, x.shape, y), sum].slice(0, c.outputCount)
    },
  }
}
