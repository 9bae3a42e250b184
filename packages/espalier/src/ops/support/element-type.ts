/**
 * Attributes that name a data type by its ONNX number, as `to` of `Cast` and `dtype` of the random operators.
 */
import { EspalierError } from '../../errors.ts'
import { dtypeOfNumber } from '../../formats/onnx/tensor-proto.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { Attributes } from '../op.ts'

/**
 * The data type that attribute `name` asks for. Throws `bad-argument` on a number that ONNX has not assigned.
 */
export function dtypeAttribute(attributes: Attributes, name: string): DType {
  const number = attributes.int(name)
  try {
    return dtypeOfNumber(number)
  } catch {
    throw new EspalierError('bad-argument', `the attribute "${name}" names no data type`, {
      expected: 'a number of TensorProto.DataType',
      got: `${number}`,
    })
  }
}
