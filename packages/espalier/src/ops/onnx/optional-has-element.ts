/** Whether an optional holds something. */
import { tensorType } from '../../graph/graph.ts'
import { tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, optionalsOf, type Schema, sequencesOf, type TypeName } from '../schema.ts'

const version = (input: string, O: readonly TypeName[]): Schema => ({
  inputs: [input],
  outputs: ['output: B'],
  types: { O, B: ['bool'] },
})

export const OptionalHasElement: Op = {
  name: 'OptionalHasElement',
  doc: 'Whether an optional holds something: true for a tensor or sequence, false for an input left out.',
  versions: {
    15: version('input: O', optionalsOf(allTypes)),
    18: version('input?: O', [...optionalsOf(allTypes), ...allTypes, ...sequencesOf(allTypes)]),
  },
  infer: () => [tensorType('bool', [])],
  evaluate(c) {
    const value = c.inputs[0]
    return [tensor('bool', [], Uint8Array.of(value === undefined || value === null ? 0 : 1))]
  },
}
