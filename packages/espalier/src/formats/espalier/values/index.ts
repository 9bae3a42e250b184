/** The value codecs, of which the one with the fewest bytes is used, the first of equals. */
import { bfloat16, float16 } from './half.ts'
import { plain } from './plain.ts'
import { int4Scaled, int8Scaled } from './scaled.ts'
import type { ValueCodec } from './values.ts'

export type { EncodedValues, ValueCodec } from './values.ts'
export { plain }

export const valueCodecs: readonly ValueCodec[] = [int4Scaled, int8Scaled, bfloat16, float16, plain]
