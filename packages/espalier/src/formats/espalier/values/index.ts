/** The value codecs, those of the fewest bits first; the first that does not decline is used. */
import { bfloat16, float16 } from './half.ts'
import { plain } from './plain.ts'
import { int4Scaled, int8Scaled } from './scaled.ts'
import type { ValueCodec } from './values.ts'

export type { EncodedValues, ValueCodec } from './values.ts'
export { plain }

export const valueCodecs: readonly ValueCodec[] = [int4Scaled, int8Scaled, bfloat16, float16, plain]
