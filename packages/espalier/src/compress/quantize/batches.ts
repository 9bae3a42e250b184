/** Data of many rows, as the runs that a model can take them in. */
import type { Graph } from '../../graph/graph.ts'
import { inputShape } from '../../graph/inputs.ts'
import { requiredInputs } from '../../runtime/feeds.ts'
import { dtypeInfo } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import {
  isTensor,
  type RuntimeValue,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from '../../tensor/tensor.ts'

/** Rows of a run where the model takes any number: enough to work with, few enough for memory. */
const ROWS = 32

/**
 * `feeds` in pieces along their outermost axis: of as many rows as the inputs ask for, or 32 where they take any number.
 * Feeds that do not all have the same number of rows, a multiple of what is asked for, are one run as they are.
 */
export function batchesOf(
  graph: Graph,
  feeds: ReadonlyMap<string, RuntimeValue>,
): readonly ReadonlyMap<string, RuntimeValue>[] {
  const inputs = requiredInputs(graph)
  const arrays = inputs.map(({ name }) => feeds.get(name))
  const dims = inputs.map(input => inputShape(input)?.[0])
  const [rows] = arrays.map(array => (isTensor(array) ? array.shape[0] : undefined))
  const fixed = dims.find(dim => typeof dim === 'number')
  const taken = typeof fixed === 'number' ? fixed : ROWS
  const alike = arrays.every(
    (array): array is Tensor =>
      isTensor(array) &&
      array.shape[0] === rows &&
      array.dtype !== 'string' &&
      dtypeInfo(array.dtype).bits >= 8,
  )
  const splits =
    alike &&
    rows !== undefined &&
    rows > taken &&
    taken > 0 &&
    dims.every(dim => dim === undefined || typeof dim !== 'number' || dim === taken) &&
    (fixed === undefined || rows % taken === 0)
  if (!splits) return [feeds]
  return Array.from(
    { length: Math.ceil(rows / taken) },
    (_, i) =>
      new Map(
        inputs.map(({ name }, k) => [name, rowsOf(arrays[k]!, i * taken, Math.min(rows, (i + 1) * taken))]),
      ),
  )
}

function rowsOf(source: Tensor, from: number, to: number): Tensor {
  const shape = [to - from, ...source.shape.slice(1)]
  const row = (sizeOf(source.shape.slice(1)) * dtypeInfo(source.dtype).bits) / 8
  return tensorFromBytes(source.dtype, shape, tensorBytes(source).subarray(from * row, to * row))
}
