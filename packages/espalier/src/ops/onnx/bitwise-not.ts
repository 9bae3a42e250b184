/** Complement bit by bit. */
import type { Op } from '../op.ts'
import { integers } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { apply, constant, inputValue, lowerTo, type Value } from '../support/lower-elementwise.ts'

export const BitwiseNot: Op = unary(
  {
    name: 'BitwiseNot',
    doc: 'Every bit turned, element by element.',
    lower: lowerTo(c => complement(inputValue(c, 0))),
    versions: { 18: { inputs: ['X: T'], outputs: ['Y: T'], types: { T: integers } } },
  },
  () => x => ~x,
  () => x => ~x,
)

function complement(x: Value): Value {
  return apply('xor', x, constant(x.dtype, -1))
}
