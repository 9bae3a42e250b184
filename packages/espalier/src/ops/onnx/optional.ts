/** Making an optional value, with something in it or empty. */
import { EspalierError } from '../../errors.ts'
import type { Op } from '../op.ts'
import { allTypes, optional, optionalsOf, sequencesOf } from '../schema.ts'

export const Optional: Op = {
  name: 'Optional',
  doc: 'An optional that holds the input; without input, an empty one of element type `type`.',
  versions: {
    15: {
      inputs: ['input?: V'],
      outputs: ['output: O'],
      types: { V: [...allTypes, ...sequencesOf(allTypes)], O: optionalsOf(allTypes) },
      attributes: { type: optional('type') },
    },
  },
  infer(c) {
    const element = c.hasInput(0)
      ? c.inputs[0]
      : c.attributes.has('type')
        ? c.attributes.type('type')
        : undefined
    return [{ kind: 'optional', ...(element && { element }) }]
  },
  evaluate(c) {
    if (!c.hasInput(0) && !c.attributes.has('type'))
      throw new EspalierError('invalid-graph', 'an empty optional needs to say its type', {
        where: { field: 'type' },
      })
    return [c.inputs[0] ?? null]
  },
}
