/** Gaussian error linear unit (arXiv 1606.08415), exact or by its approximation with tanh. */
import type { Op } from '../op.ts'
import { floats, type Schema, string } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { erfc } from '../support/error-function.ts'
import { apply, lowerFloat } from '../support/lower-elementwise.ts'

const schema: Schema = {
  inputs: ['X: T'],
  outputs: ['Y: T'],
  attributes: { approximate: string('none', ['none', 'tanh']) },
}

export const Gelu: Op = unary(
  {
    name: 'Gelu',
    doc: 'x times the normal distribution function at x, element by element.',
    lower: lowerFloat((x, c) =>
      apply(c.attributes.string('approximate') === 'tanh' ? 'gelu_tanh' : 'gelu', x),
    ),
    versions: { 20: { ...schema, types: { T: floats } } },
  },
  c => (c.attributes.string('approximate') === 'tanh' ? approximation : exact),
)

const exact = (x: number): number => (x / 2) * erfc(-x / Math.SQRT2)

const approximation = (x: number): number =>
  (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
