/** The input itself: a tensor, a sequence or an optional. */
import type { Op } from '../op.ts'
import * as types from '../schema.ts'
import { sameContents } from '../support/contents.ts'
import { sameAsFirst } from '../support/infer.ts'
import { lowerAlias } from '../support/lower-movement.ts'

const version = (name: 'T' | 'V', list: readonly types.TypeName[]): types.Schema => ({
  inputs: [`input: ${name}`],
  outputs: [`output: ${name}`],
  types: { [name]: list },
})
// Sequences and optionals stay those of the types of opset 1.
const sequences = types.sequencesOf(types.allTypes)
const containers = [...sequences, ...types.optionalsOf(types.allTypes)]

export const Identity: Op = {
  name: 'Identity',
  doc: 'The input itself.',
  versions: {
    1: version('T', types.allTypes),
    13: version('T', types.allTypes13),
    14: version('V', [...types.allTypes13, ...sequences]),
    16: version('V', [...types.allTypes13, ...containers]),
    19: version('V', [...types.allTypes19, ...containers]),
    21: version('V', [...types.allTypes21, ...containers]),
    23: version('V', [...types.allTypes23, ...containers]),
    24: version('V', [...types.allTypes24, ...containers]),
    25: version('V', [...types.allTypes25, ...containers]),
  },
  infer: sameAsFirst,
  contents: sameContents,
  evaluate: c => [c.inputs[0] === undefined ? c.tensor(0) : c.inputs[0]],
  lower: lowerAlias,
}
