/** Conversion to the data type of another tensor: see support/cast.ts for the rules. */
import type { Op } from '../op.ts'
import * as types from '../schema.ts'
import { cast, castOptions } from '../support/cast.ts'
import { castContents } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { lowerCast } from '../support/lower-elementwise.ts'

const { int, string } = types
const saturating = { saturate: int(1) }
const rounding = { round_mode: string('up', ['up', 'down', 'nearest']), ...saturating }

function version(
  list: readonly types.TypeName[],
  attributes?: Readonly<Record<string, types.AttributeSchema>>,
): types.Schema {
  const castable = list.filter(type => type !== 'complex64' && type !== 'complex128')
  return {
    inputs: ['input: T1', 'target_type: T2'],
    outputs: ['output: T2'],
    types: { T1: castable, T2: castable },
    ...(attributes && { attributes }),
  }
}

export const CastLike: Op = {
  name: 'CastLike',
  doc: 'The elements converted to the data type of a second input.',
  lower: lowerCast,
  versions: {
    15: version(types.allTypes13),
    19: version(types.allTypes19, saturating),
    21: version(types.allTypes21, saturating),
    23: version(types.allTypes23, saturating),
    24: version(types.allTypes24, rounding),
    25: version(types.allTypes25, rounding),
  },
  infer: c => [typed(c.dtype(1), c.shape(0))],
  contents: c => castContents(c, c.dtype(1)),
  evaluate: c => [cast(c.tensor(0), c.tensor(1).dtype, castOptions(c.attributes))],
}
