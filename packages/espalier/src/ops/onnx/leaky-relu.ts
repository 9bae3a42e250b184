/** Rectifier that lets a fraction of the negative side through. */
import type { Op } from '../op.ts'
import { float, floats, floats16, type Schema } from '../schema.ts'
import { unary } from '../support/elementwise.ts'
import { lowerActivation } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T'], outputs: ['Y: T'], attributes: { alpha: float(0.01) } }

export const LeakyRelu: Op = unary(
  {
    name: 'LeakyRelu',
    doc: 'x, and alpha * x below zero, element by element.',
    lower: lowerActivation(c => ({ name: 'leaky_relu', alpha: c.attributes.float('alpha'), beta: 0 })),
    versions: { 6: { ...schema, types: { T: floats16 } }, 16: { ...schema, types: { T: floats } } },
  },
  c => {
    const alpha = c.attributes.float('alpha')
    return x => (x < 0 ? alpha * x : x)
  },
)
