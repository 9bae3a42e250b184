/** Test for infinities of either sign. Types without infinities have none. */
import { tensorType } from '../../graph/graph.ts'
import type { LowerContext } from '../lower.ts'
import type { Op } from '../op.ts'
import { float8s, floats, int, type Schema } from '../schema.ts'
import { mapNumbers } from '../support/elementwise.ts'
import { apply, compare, constant, lowerFloat, type Value } from '../support/lower-elementwise.ts'

const schema: Schema = {
  inputs: ['X: T1'],
  outputs: ['Y: T2'],
  attributes: { detect_negative: int(1), detect_positive: int(1) },
}

export const IsInf: Op = {
  name: 'IsInf',
  doc: 'Whether each element is infinite.',
  lower: lowerFloat(infinite),
  versions: {
    10: { ...schema, types: { T1: ['float32', 'float64'], T2: ['bool'] } },
    20: { ...schema, types: { T1: [...floats, ...float8s], T2: ['bool'] } },
  },
  infer: c => [tensorType('bool', c.shape(0))],
  evaluate(c) {
    const positive = c.attributes.int('detect_positive') !== 0
    const negative = c.attributes.int('detect_negative') !== 0
    const holds = (x: number): boolean =>
      (positive && x === Number.POSITIVE_INFINITY) || (negative && x === Number.NEGATIVE_INFINITY)
    return [mapNumbers(c.tensor(0), x => (holds(x) ? 1 : 0), 'bool')]
  },
}

function infinite(x: Value, c: LowerContext): Value {
  const positive = c.attributes.int('detect_positive') !== 0
  const negative = c.attributes.int('detect_negative') !== 0
  if (!positive && !negative) return constant('bool', 0)
  const end = constant(x.dtype, positive ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)
  return compare('equal', positive && negative ? apply('abs', x) : x, end)
}
