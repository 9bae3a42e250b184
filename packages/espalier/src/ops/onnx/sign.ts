/** Sign. */
import type { Op } from '../op.ts'
import { numeric, numeric16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Sign: Op = unary(
  {
    name: 'Sign',
    doc: '-1, 0 or 1, element by element.',
    lower: lowerUnary('sign', 'sign'),
    versions: { 9: { ...schema, types: { T: numeric16 } }, 13: { ...schema, types: { T: numeric } } },
  },
  () => Math.sign,
  () => x => (x > 0n ? 1n : x < 0n ? -1n : 0n),
)
