/** Largest element of sliding windows, and where it is. */
import { EspalierError } from '../../errors.ts'
import { dtypeInfo } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { type AttributeSchema, floats, floats16, int, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { integerRange } from '../support/integer-range.ts'
import { maximumWindows, poolAttributes, poolShape, readPool, withDilations } from '../support/pooling.ts'

const values: Schema = {
  inputs: ['X: T'],
  outputs: ['Y: T'],
  types: { T: floats16 },
  attributes: poolAttributes,
}
const version = (T: readonly TypeName[], attributes: Readonly<Record<string, AttributeSchema>>): Schema => ({
  inputs: ['X: T'],
  outputs: ['Y: T', 'Indices?: I'],
  types: { T, I: ['int64'] },
  attributes: { ...attributes, storage_order: int(0) },
})

export const MaxPool: Op = {
  name: 'MaxPool',
  doc: 'The largest element of sliding windows, and on demand its position.',
  versions: {
    1: values,
    8: version(floats16, poolAttributes),
    10: version(floats16, withDilations),
    11: version(floats16, withDilations),
    12: version([...floats16, 'int8', 'uint8'], withDilations),
    22: version([...floats, 'int8', 'uint8'], withDilations),
  },
  infer(c) {
    const shape = poolShape(c)
    return [typed(c.dtype(0), shape), typed('int64', shape)].slice(0, c.outputCount)
  },
  evaluate(c) {
    const x = c.tensor(0)
    const pool = readPool(c.attributes, x.shape)
    const { values, positions } = maximumWindows(pool, numbers(x))
    const integer = dtypeInfo(x.dtype).kind !== 'float'
    const least = integer ? Number(integerRange(x.dtype).least) : Number.NEGATIVE_INFINITY
    const y = fromNumbers(x.dtype, pool.outputShape, integer ? values.map(v => Math.max(v, least)) : values)
    if (!c.hasOutput(1)) return [y]
    const order = c.attributes.optionalInt('storage_order') ?? 0
    if (order !== 0 && order !== 1)
      throw new EspalierError('bad-argument', 'not a storage order', {
        where: { field: 'storage_order' },
        expected: '0 (row-major) or 1 (column-major)',
        got: `${order}`,
      })
    const indices = order === 0 ? positions : columnMajor(positions, x.shape.slice(2))
    return [y, fromNumbers('int64', pool.outputShape, indices)]
  },
}

/** Row-major positions as if each plane were stored with its first axis running fastest. */
function columnMajor(positions: Float64Array, plane: Shape): Float64Array {
  const size = sizeOf(plane)
  const rows = stridesOf(plane)
  const columns = stridesOf(plane.toReversed()).reverse()
  return positions.map(position => {
    if (position < 0) return position
    let rest = position % size
    let result = position - rest
    for (let axis = 0; axis < plane.length; axis++) {
      const at = Math.floor(rest / rows[axis]!)
      rest -= at * rows[axis]!
      result += at * columns[axis]!
    }
    return result
  })
}
