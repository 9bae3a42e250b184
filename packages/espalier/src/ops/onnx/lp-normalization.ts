/** Division by the norm along an axis. */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { normalizeAxis } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { floats, floats16, int, type Schema } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import { lowerLpNormalization } from '../support/lower-normalize.ts'

const schema: Schema = {
  inputs: ['input: T'],
  outputs: ['output: T'],
  attributes: { axis: int(-1), p: int(2) },
}

export const LpNormalization: Op = {
  name: 'LpNormalization',
  doc: 'Divides by the L1 or L2 norm along an axis; zeros stay zeros.',
  versions: { 1: { ...schema, types: { T: floats16 } }, 22: { ...schema, types: { T: floats } } },
  infer: sameAsFirst,
  lower: lowerLpNormalization,
  evaluate(c) {
    const input = c.tensor(0)
    const p = c.attributes.int('p')
    if (p !== 1 && p !== 2)
      throw new EspalierError('bad-argument', 'not an order of normalisation', {
        where: { field: 'p' },
        expected: '1 or 2',
        got: `${p}`,
      })
    const x = numbers(input)
    const y = new Float64Array(x.length)
    const axis = normalizeAxis(c.attributes.int('axis'), input.shape.length)
    const { starts, steps } = linesAlong(input.shape, [axis])
    for (const start of starts) {
      let sum = 0
      for (const step of steps) sum += Math.abs(x[start + step]!) ** p
      const norm = p === 1 ? sum : Math.sqrt(sum)
      if (norm !== 0) for (const step of steps) y[start + step] = x[start + step]! / norm
    }
    return [fromNumbers(input.dtype, input.shape, y)]
  },
}
