/** Conversion to another data type: see support/cast.ts for the rules. */
import type { Op } from '../op.ts'
import * as types from '../schema.ts'
import { cast, castOptions } from '../support/cast.ts'
import { castContents } from '../support/contents.ts'
import { dtypeAttribute } from '../support/element-type.ts'
import { typed } from '../support/infer.ts'
import { lowerCast } from '../support/lower-elementwise.ts'

const { int, required, string } = types
const to = required('int')
const saturating = { saturate: int(1), to }
const rounding = { round_mode: string('up', ['up', 'down', 'nearest']), ...saturating }

function version(
  list: readonly types.TypeName[],
  attributes: Readonly<Record<string, types.AttributeSchema>>,
  except: readonly types.TypeName[] = ['complex64', 'complex128'],
): types.Schema {
  const castable = list.filter(type => !except.includes(type))
  return { inputs: ['input: T1'], outputs: ['output: T2'], types: { T1: castable, T2: castable }, attributes }
}

export const Cast: Op = {
  name: 'Cast',
  doc: 'The elements converted to another data type.',
  lower: lowerCast,
  versions: {
    6: version(types.allTypes, { to }, ['complex64', 'complex128', 'string']),
    9: version(types.allTypes, { to }),
    13: version(types.allTypes13, { to }),
    19: version(types.allTypes19, saturating),
    21: version(types.allTypes21, saturating),
    23: version(types.allTypes23, saturating),
    24: version(types.allTypes24, rounding),
    25: version(types.allTypes25, rounding),
  },
  infer: c => [typed(dtypeAttribute(c.attributes, 'to'), c.shape(0))],
  contents: c => castContents(c, dtypeAttribute(c.attributes, 'to')),
  evaluate: c => [cast(c.tensor(0), dtypeAttribute(c.attributes, 'to'), castOptions(c.attributes))],
}
