/**
 * Linear quantisation with one scale, one for each place on an axis, or one for each block along an axis. The
 * division is done in the precision that the specification names: the attribute `precision`, otherwise the
 * type of the scale. Scale types without a precision of their own (int32, float8e8m0) divide in float64.
 */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import type { Attributes, Op } from '../op.ts'
import { type AttributeSchema, float8s, floats, int, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { lowerQuantize } from '../support/lower-quantize.ts'
import { readDtype, roundingTo } from '../support/precision.ts'
import { quantizeNumbers, readZeroPoints, scaleIndex } from '../support/quantization.ts'

const inputs13: readonly TypeName[] = ['float32', 'int32']
const inputs: readonly TypeName[] = ['float32', 'float16', 'bfloat16', 'int32']
const outputs13: readonly DType[] = ['int8', 'uint8']
const outputs19: readonly DType[] = [...outputs13, ...float8s]
const outputs21: readonly DType[] = [...outputs19, 'int16', 'uint16', 'uint4', 'int4']
const outputs23: readonly DType[] = [...outputs21, 'float4e2m1']
const outputs25: readonly DType[] = [...outputs23, 'uint2', 'int2']

const perTensor = (T1: readonly TypeName[], attributes: Record<string, AttributeSchema>): Schema => ({
  inputs: ['x: T1', 'y_scale: float32', 'y_zero_point?: T2'],
  outputs: ['y: T2'],
  types: { T1, T2: outputs13 },
  attributes,
})
const likeInput = (T2: readonly TypeName[], attributes: Record<string, AttributeSchema>): Schema => ({
  inputs: ['x: T1', 'y_scale: T1', 'y_zero_point?: T2'],
  outputs: ['y: T2'],
  types: { T1: inputs, T2 },
  attributes,
})
const ownScale = (T2: readonly TypeName[], T3: readonly TypeName[]): Schema => ({
  inputs: ['x: T1', 'y_scale: T2', 'y_zero_point?: T3'],
  outputs: ['y: T3'],
  types: { T1: inputs, T2, T3 },
  attributes: { axis: int(1), saturate: int(1), block_size: int(0), output_dtype: int(0), precision: int(0) },
})

export const QuantizeLinear: Op = {
  name: 'QuantizeLinear',
  doc: 'saturate(round(x / scale) + zero point).',
  versions: {
    10: perTensor(inputs13, {}),
    13: perTensor(inputs13, { axis: int(1) }),
    19: likeInput(outputs19, { axis: int(1), saturate: int(1) }),
    21: likeInput(outputs21, { axis: int(1), saturate: int(1), block_size: int(0), output_dtype: int(0) }),
    23: ownScale(inputs, outputs23),
    24: ownScale([...inputs, 'float8e8m0'], outputs23),
    25: ownScale([...inputs, 'float8e8m0'], outputs25),
  },
  infer(c) {
    const dtype = c.hasInput(2) ? c.dtype(2) : outputType(c.attributes, undefined)
    return [typed(dtype, c.shape(0))]
  },
  lower: lowerQuantize,
  evaluate(c) {
    const [x, scale, zeroPoint] = [c.tensor(0), c.tensor(1), c.optionalTensor(2)]
    const { attributes } = c
    const round = roundingTo(readDtype(attributes, 'precision', floats) ?? scale.dtype)
    const index = scaleIndex(
      x.shape,
      scale.shape,
      attributes.optionalInt('axis') ?? 1,
      attributes.optionalInt('block_size') ?? 0,
    )
    const scales = numbers(scale).map(round)
    const zeros = readZeroPoints(zeroPoint, scale)
    const quotients = numbers(x).map((value, i) => round(round(value) / scales[index(i)]!))
    const saturate = (attributes.optionalInt('saturate') ?? 1) !== 0
    const dtype = outputType(attributes, zeroPoint?.dtype)
    return [quantizeNumbers(dtype, x.shape, quotients, i => zeros[index(i)]!, saturate)]
  },
}

/** The type of the zero point, which `output_dtype` may only repeat; without both, uint8. */
function outputType(attributes: Attributes, zeroPoint: DType | undefined): DType {
  const stated = readDtype(attributes, 'output_dtype', outputs25)
  if (zeroPoint === undefined || stated === undefined || stated === zeroPoint)
    return zeroPoint ?? stated ?? 'uint8'
  throw new EspalierError('bad-dtype', 'the output type is not that of the zero point', {
    where: { field: 'output_dtype' },
    expected: zeroPoint,
    got: stated,
  })
}
