/** Columns of the last axis, chosen by index (ai.onnx.ml). A vector is taken for a matrix of one row. */
import { EspalierError } from '../../errors.ts'
import { productOfDims } from '../../graph/dim.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { typed } from '../support/infer.ts'
import { selectAxes } from '../support/movement.ts'

/** A vector as a matrix of one row. */
const rowsOf = <D>(shape: readonly D[]): readonly (D | 1)[] => (shape.length === 1 ? [1, ...shape] : shape)

export const ArrayFeatureExtractor: Op = {
  name: 'ArrayFeatureExtractor',
  domain: 'ai.onnx.ml',
  doc: 'The elements of the last axis at the given indices.',
  versions: {
    1: {
      inputs: ['X: T', 'Y: int64'],
      outputs: ['Z: T'],
      types: { T: ['float32', 'float64', 'int64', 'int32', 'string'] },
    },
  },
  infer(c) {
    const [shape, indices] = [c.shape(0), c.shape(1)]
    if (shape === undefined || shape.length === 0) return [typed(c.dtype(0), undefined)]
    return [typed(c.dtype(0), rowsOf(shape).with(-1, indices === undefined ? null : productOfDims(indices)))]
  },
  evaluate(c) {
    const x = c.tensor(0)
    const extent = x.shape.at(-1)
    if (extent === undefined) throw new EspalierError('bad-shape', 'a scalar has no features')
    const indices = Array.from(numbers(c.tensor(1)))
    const outside = indices.find(index => index < 0 || index >= extent)
    if (outside !== undefined)
      throw new EspalierError('bad-argument', `feature ${outside} does not exist`, {
        expected: `0 to ${extent - 1}`,
        got: `${outside} for shape ${formatShape(x.shape)}`,
      })
    const rows = reshape(x, rowsOf(x.shape))
    return [selectAxes(rows, [...rows.shape.slice(0, -1).map(() => undefined), indices])]
  },
}
