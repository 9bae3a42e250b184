/** Values as they are. */
import { EspalierError } from '../../../errors.ts'
import { patternsOf, tensorOfPatterns } from '../elements.ts'
import type { ValueCodec } from './values.ts'

export const plain: ValueCodec = {
  name: 'plain',
  encode: ({ dtype, patterns }) => ({
    parameters: [],
    values: tensorOfPatterns(dtype, [patterns.length], patterns),
  }),
  valueType(dtype, parameters) {
    checkNoParameters(parameters)
    return dtype
  },
  scaleCount: () => 0,
  decode: (_, { values }) => patternsOf(values),
}

/** Throws `malformed` unless there are none. */
export function checkNoParameters(parameters: readonly number[]): void {
  if (parameters.length > 0)
    throw new EspalierError('malformed', 'these values have no parameters', { got: `${parameters.length}` })
}
