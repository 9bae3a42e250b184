/** Test for NaN. */
import { tensorType } from '../../graph/graph.ts'
import type { Op } from '../op.ts'
import { float8s, floats, floats16, type Schema } from '../schema.ts'
import { mapNumbers } from '../support/elementwise.ts'
import { compare, lowerFloat, not } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['X: T1'], outputs: ['Y: T2'] }

export const IsNaN: Op = {
  name: 'IsNaN',
  doc: 'Whether each element is NaN.',
  lower: lowerFloat(x => not(compare('equal', x, x))),
  versions: {
    9: { ...schema, types: { T1: floats16, T2: ['bool'] } },
    13: { ...schema, types: { T1: floats, T2: ['bool'] } },
    20: { ...schema, types: { T1: [...floats, ...float8s], T2: ['bool'] } },
  },
  infer: c => [tensorType('bool', c.shape(0))],
  evaluate: c => [mapNumbers(c.tensor(0), x => (Number.isNaN(x) ? 1 : 0), 'bool')],
}
