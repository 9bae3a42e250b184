/** The same bits under another data type of the same width. */
import { EspalierError } from '../../errors.ts'
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { type Tensor, tensorBytes, tensorFromBytes } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes25, required } from '../schema.ts'
import { dtypeAttribute } from '../support/element-type.ts'
import { typed } from '../support/infer.ts'

const castable = allTypes25.filter(type => type !== 'string')

export const BitCast: Op = {
  name: 'BitCast',
  doc: 'The bits of each element read as another data type of the same width.',
  versions: {
    26: {
      inputs: ['input: T1'],
      outputs: ['output: T2'],
      types: { T1: castable, T2: castable },
      attributes: { to: required('int') },
    },
  },
  limits: 'Bytes other than 0 and 1 cannot become bool.',
  infer(c) {
    const to = dtypeAttribute(c.attributes, 'to')
    const from = c.dtype(0)
    if (from !== undefined) requireSameWidth(from, to)
    return [typed(to, c.shape(0))]
  },
  evaluate(c) {
    const x = c.tensor(0)
    const to = dtypeAttribute(c.attributes, 'to')
    requireSameWidth(x.dtype, to)
    const bytes = tensorBytes(x)
    if (to === 'bool' && bytes.some(byte => byte > 1))
      throw new EspalierError('unsupported', 'a bool of a byte other than 0 and 1', {
        got: `${bytes.find(byte => byte > 1)}`,
        hint: 'Use Cast to ask which elements are not zero.',
      })
    return [tensorFromBytes(to, x.shape, bytes) as Tensor]
  },
}

function requireSameWidth(from: DType, to: DType): void {
  const fits = from !== 'string' && to !== 'string' && dtypeInfo(from).bits === dtypeInfo(to).bits
  if (fits) return
  throw new EspalierError('bad-dtype', 'the bits of one type are not those of the other', {
    expected: 'two types of the same width, not string',
    got: `${from} to ${to}`,
  })
}
