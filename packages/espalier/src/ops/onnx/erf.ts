/** Error function. Version 9 also takes integers; the result is then truncated. */
import type { Op } from '../op.ts'
import { floats, numeric16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { erf } from '../support/error-function.ts'
import { lowerUnary } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['input: T'], outputs: ['output: T'] }

export const Erf: Op = unary(
  {
    name: 'Erf',
    doc: 'The error function, element by element.',
    lower: lowerUnary('erf'),
    versions: { 9: { ...schema, types: { T: numeric16 } }, 13: { ...schema, types: { T: floats } } },
  },
  () => erf,
)
