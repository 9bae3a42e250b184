/** float32 values that a 16-bit float holds without loss, as weights that were trained or kept in one. */
import { EspalierError } from '../../../errors.ts'
import type { DType } from '../../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../../tensor/elements.ts'
import { tensor } from '../../../tensor/tensor.ts'
import { patternsOf } from '../elements.ts'
import { checkNoParameters } from './plain.ts'
import type { ValueCodec } from './values.ts'

export const float16: ValueCodec = {
  name: 'float16',
  bits: 16,
  encode({ dtype, patterns }) {
    if (dtype !== 'float32') return undefined
    const bits = patterns as Uint32Array
    // A float16 has 10 bits of fraction (fewer below 2^-14, which the comparison finds out), and no other NaN.
    for (const pattern of bits) if ((pattern & 0x1fff) !== 0) return undefined
    const source = new Float32Array(bits.buffer as ArrayBuffer, bits.byteOffset, bits.length)
    const values = fromNumbers('float16', [bits.length], source)
    const kept = new Uint32Array(Float32Array.from(numbers(values)).buffer)
    return kept.every((pattern, i) => pattern === bits[i]) ? { parameters: [], values } : undefined
  },
  valueType: (dtype, parameters) => halfType('float16', dtype, parameters),
  scaleCount: () => 0,
  decode: (_, { values }) => new Uint32Array(Float32Array.from(numbers(values)).buffer),
}

export const bfloat16: ValueCodec = {
  name: 'bfloat16',
  bits: 16,
  encode({ dtype, patterns }) {
    if (dtype !== 'float32') return undefined
    const bits = patterns as Uint32Array
    for (const pattern of bits) if ((pattern & 0xffff) !== 0) return undefined
    return {
      parameters: [],
      values: tensor(
        'bfloat16',
        [bits.length],
        Uint16Array.from(bits, pattern => pattern >>> 16),
      ),
    }
  },
  valueType: (dtype, parameters) => halfType('bfloat16', dtype, parameters),
  scaleCount: () => 0,
  decode: (_, { values }) => Uint32Array.from(patternsOf(values) as Uint16Array, pattern => pattern << 16),
}

function halfType(own: DType, dtype: DType, parameters: readonly number[]): DType {
  checkNoParameters(parameters)
  if (dtype === 'float32') return own
  throw new EspalierError('malformed', `values as ${own} are those of a float32 tensor`, { got: dtype })
}
