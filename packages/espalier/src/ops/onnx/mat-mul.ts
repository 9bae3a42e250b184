/** Product of matrices. */
import { isFloat } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { floats, floats16, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { lowerProduct } from '../support/lower-gemm.ts'
import { inferMatMul, matMulIntegers, matMulMacs, matMulNumbers, matMulWeights } from '../support/matmul.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['A: T', 'B: T'],
  outputs: ['Y: T'],
  types: { T },
})
const integers = ['uint32', 'uint64', 'int32', 'int64'] as const

export const MatMul: Op = {
  name: 'MatMul',
  doc: 'Product of matrices, repeated and broadcast over leading axes; vectors are taken as a row or a column.',
  versions: {
    1: version(floats16),
    9: version([...floats16, ...integers]),
    13: version([...floats, ...integers]),
  },
  infer: c => [typed(c.dtype(0), inferMatMul(c.shape(0), c.shape(1)))],
  macs: c => matMulMacs(c.shape(0), c.shape(1)),
  weights: c => matMulWeights(c.shape(0), c.shape(1)),
  evaluate(c) {
    const [a, b] = [c.tensor(0), c.tensor(1)]
    if (!isFloat(a.dtype)) {
      const { shape, values } = matMulIntegers(bigints(a), a.shape, bigints(b), b.shape)
      return [fromBigInts(a.dtype, shape, values)]
    }
    const { shape, values } = matMulNumbers(numbers(a), a.shape, numbers(b), b.shape)
    return [fromNumbers(a.dtype, shape, values)]
  },
  lower: c => lowerProduct(c, {}),
}
