/** One of the shared activations on its own: what the spellings of GELU, SiLU, hard swish and others are brought to. */
import type { Op } from '../op.ts'
import { floats } from '../schema.ts'
import { activationAttributes, activationFunction, activationOf } from '../support/activation.ts'
import { unary } from '../support/elementwise.ts'
import { lowerActivation } from '../support/lower-elementwise.ts'

export const Activation: Op = {
  ...unary(
    {
      name: 'Activation',
      doc: 'An activation of the shared list, element by element.',
      versions: {
        1: { inputs: ['x: T'], outputs: ['y: T'], types: { T: floats }, attributes: activationAttributes },
      },
    },
    c => activationFunction(activationOf(c.attributes)),
  ),
  domain: 'espalier',
  lower: lowerActivation(c => activationOf(c.attributes)),
}
