/**
 * Softmax and its relatives. Up to operator set 12 they work on the input as a matrix, with all axes from `axis` on
 * as its columns; from 13 on along `axis` alone.
 */
import type { softmaxModes } from '../../plan/steps/softmax.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { normalizeAxis } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { floats, floats16, int, type Schema, type TypeName } from '../schema.ts'
import { sameAsFirst } from './infer.ts'
import { linesAlong } from './lines.ts'
import { lowerSoftmax } from './lower-lines.ts'

const version = (T: readonly TypeName[], axis: number): Schema => ({
  inputs: ['input: T'],
  outputs: ['output: T'],
  types: { T },
  attributes: { axis: int(axis) },
})

/** What is done to one line: reads `x` and writes `y` at `start + step` for every step. */
type Normalize = (x: Float64Array, y: Float64Array, start: number, steps: Uint32Array) => void

/** `mode` is the kernel's. */
export function softmaxLike(
  header: Pick<Op, 'name' | 'doc'>,
  mode: keyof typeof softmaxModes,
  normalize: Normalize,
): Op {
  return {
    ...header,
    versions: { 1: version(floats16, 1), 11: version(floats16, 1), 13: version(floats, -1) },
    infer: sameAsFirst,
    lower: c => lowerSoftmax(c, mode),
    evaluate(c) {
      const input = c.tensor(0)
      const rank = input.shape.length
      const axis = normalizeAxis(c.attributes.int('axis'), rank)
      const axes = c.version >= 13 ? [axis] : Array.from({ length: rank - axis }, (_, i) => axis + i)
      const x = numbers(input)
      const y = new Float64Array(x.length)
      const { starts, steps } = linesAlong(input.shape, axes)
      if (steps.length > 0) for (const start of starts) normalize(x, y, start, steps)
      return [fromNumbers(input.dtype, input.shape, y)]
    },
  }
}
