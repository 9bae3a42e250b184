/** Choice between two tensors, element by element. Elements are moved as they are, whatever their type. */
import { EspalierError } from '../../errors.ts'
import { sameDim } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { broadcastShapes, broadcastStrides, forEachIndex, sizeOf } from '../../tensor/shape.ts'
import { allocate, type Tensor, tensor } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'
import type { Op } from '../op.ts'
import { allTypes, allTypes13, type Schema } from '../schema.ts'
import { broadcastContents, contentOf } from '../support/contents.ts'
import { commonDType } from '../support/elementwise.ts'
import { broadcastDims, typed } from '../support/infer.ts'
import { choose, inputValue, lowerTo, storageOf, type Value } from '../support/lower-elementwise.ts'

const schema: Schema = { inputs: ['condition: B', 'X: T', 'Y: T'], outputs: ['output: T'] }

export const Where: Op = {
  name: 'Where',
  doc: 'Elements of X where the condition holds, otherwise of Y, with broadcasting.',
  lower: lowerTo(lowerWhere),
  versions: {
    9: { ...schema, types: { B: ['bool'], T: allTypes } },
    16: { ...schema, types: { B: ['bool'], T: allTypes13 } },
  },
  infer(c) {
    requireBool(c.dtype(0))
    return [typed(commonDType([c.dtype(1), c.dtype(2)]), broadcastDims(c.shape(0), c.shape(1), c.shape(2)))]
  },
  contents(c) {
    const lists = broadcastContents([contentOf(c, 0), contentOf(c, 1), contentOf(c, 2)])
    if (lists === undefined) return [undefined]
    const [condition, x, y] = lists
    return [condition!.map((holds, i) => chooseDim(holds, x![i]!, y![i]!))]
  },
  evaluate(c) {
    requireBool(c.tensor(0).dtype)
    return [chosen(c.tensor(0) as Tensor<'bool'>, c.tensor(1), c.tensor(2))]
  },
}

function chooseDim(holds: Dim, x: Dim, y: Dim): Dim {
  if (typeof holds === 'number') return holds !== 0 ? x : y
  return sameDim(x, y) ? x : null
}

function chosen(condition: Tensor<'bool'>, x: Tensor, y: Tensor): Tensor {
  const dtype = commonDType([x.dtype, y.dtype])!
  const { stride } = dtypeInfo(dtype)
  if (stride < 1)
    throw new EspalierError('bad-dtype', 'packed types cannot be chosen from', {
      expected: allTypes13.join(', '),
      got: dtype,
    })
  const shape = broadcastShapes(condition.shape, x.shape, y.shape)
  const result = allocate(dtype, sizeOf(shape)) as unknown[]
  const strides = [condition, x, y].map(input => broadcastStrides(input.shape, shape))
  forEachIndex(shape, strides, (index, [at, p, q]) => {
    const holds = condition.data[at!] !== 0
    const source = holds ? x.data : y.data
    const from = (holds ? p! : q!) * stride
    for (let part = 0; part < stride; part++) result[index * stride + part] = source[from + part]
  })
  return tensor(dtype, shape, result as never)
}

function requireBool(dtype: DType | undefined): void {
  if (dtype === undefined || dtype === 'bool') return
  throw new EspalierError('bad-dtype', 'the condition is not bool', { expected: 'bool', got: dtype })
}

function lowerWhere(c: LowerContext): Value {
  const { dtype } = c.type(1)
  // Elements are only moved: what has eight bytes is moved as int64.
  const storage = dtype === 'float64' ? 'int64' : storageOf(dtype)
  const { shape } = c.outputType(0)
  return choose(inputValue(c, 0), inputValue(c, 1, shape, storage), inputValue(c, 2, shape, storage))
}
