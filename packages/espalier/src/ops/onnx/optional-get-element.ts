/** The value inside an optional. */
import { EspalierError } from '../../errors.ts'
import type { Op } from '../op.ts'
import { allTypes, optionalsOf, type Schema, sequencesOf, type TypeName } from '../schema.ts'

const values: readonly TypeName[] = [...allTypes, ...sequencesOf(allTypes)]
const version = (O: readonly TypeName[]): Schema => ({
  inputs: ['input: O'],
  outputs: ['output: V'],
  types: { O, V: values },
})

export const OptionalGetElement: Op = {
  name: 'OptionalGetElement',
  doc: 'What an optional holds; a tensor or sequence is returned as it is.',
  versions: {
    15: version(optionalsOf(allTypes)),
    18: version([...optionalsOf(allTypes), ...values]),
  },
  infer(c) {
    const type = c.inputs[0]
    return [type?.kind === 'optional' ? type.element : type]
  },
  evaluate(c) {
    const value = c.inputs[0]
    if (value !== undefined && value !== null) return [value]
    throw new EspalierError('missing-input', 'the optional is empty', {
      hint: 'Ask OptionalHasElement first, inside an If',
    })
  },
}
