/** The inverse of linear quantisation: (x - zero point) * scale, with scales as in QuantizeLinear. */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Attributes, Op } from '../op.ts'
import { type AttributeSchema, float8s, int, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { lowerDequantize } from '../support/lower-quantize.ts'
import { readDtype } from '../support/precision.ts'
import { readZeroPoints, scaleIndex } from '../support/quantization.ts'

const inputs13: readonly TypeName[] = ['int8', 'uint8', 'int32']
const inputs19: readonly TypeName[] = [...inputs13, ...float8s]
const inputs21: readonly TypeName[] = [...inputs19, 'int16', 'uint16', 'uint4', 'int4']
const inputs23: readonly TypeName[] = [...inputs21, 'float4e2m1']
const inputs25: readonly TypeName[] = [...inputs23, 'uint2', 'int2']
const outputs: readonly DType[] = ['float32', 'float16', 'bfloat16']

const toFloat32 = (attributes: Record<string, AttributeSchema>): Schema => ({
  inputs: ['x: T', 'x_scale: float32', 'x_zero_point?: T'],
  outputs: ['y: float32'],
  types: { T: inputs13 },
  attributes,
})
const likeScale = (T1: readonly TypeName[], attributes: Record<string, AttributeSchema>): Schema => ({
  inputs: ['x: T1', 'x_scale: T2', 'x_zero_point?: T1'],
  outputs: ['y: T2'],
  types: { T1, T2: outputs },
  attributes,
})
const ownOutput = (T1: readonly TypeName[], T2: readonly TypeName[]): Schema => ({
  inputs: ['x: T1', 'x_scale: T2', 'x_zero_point?: T1'],
  outputs: ['y: T3'],
  types: { T1, T2, T3: outputs },
  attributes: { axis: int(1), block_size: int(0), output_dtype: int(0) },
})

export const DequantizeLinear: Op = {
  name: 'DequantizeLinear',
  doc: '(x - zero point) * scale.',
  versions: {
    10: toFloat32({}),
    13: toFloat32({ axis: int(1) }),
    19: likeScale(inputs19, { axis: int(1) }),
    21: likeScale(inputs21, { axis: int(1), block_size: int(0) }),
    23: ownOutput(inputs23, outputs),
    24: ownOutput(inputs23, [...outputs, 'float8e8m0']),
    25: ownOutput(inputs25, [...outputs, 'float8e8m0']),
  },
  infer: c => [typed(outputType(c.attributes, c.dtype(1)), c.shape(0))],
  lower: lowerDequantize,
  evaluate(c) {
    const [x, scale] = [c.tensor(0), c.tensor(1)]
    const { attributes } = c
    const index = scaleIndex(
      x.shape,
      scale.shape,
      attributes.optionalInt('axis') ?? 1,
      attributes.optionalInt('block_size') ?? 0,
    )
    const scales = numbers(scale)
    const zeros = readZeroPoints(c.optionalTensor(2), scale)
    const values = numbers(x).map((value, i) => {
      const at = index(i)
      return (value - zeros[at]!) * scales[at]!
    })
    return [fromNumbers(outputType(attributes, scale.dtype)!, x.shape, values)]
  },
}

/** `output_dtype`, otherwise the type of the scale. */
function outputType(attributes: Attributes, scale: DType | undefined): DType | undefined {
  const dtype = readDtype(attributes, 'output_dtype', outputs) ?? scale
  if (dtype !== 'float8e8m0') return dtype
  throw new EspalierError('bad-dtype', 'the output cannot have the type of the scale', {
    where: { field: 'output_dtype' },
    expected: outputs.join(', '),
    got: dtype,
  })
}
