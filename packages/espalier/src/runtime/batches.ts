/** Data of many rows, as the runs that a model can take them in. */
import type { Graph } from '../graph/graph.ts'
import { inputShape } from '../graph/inputs.ts'
import { dtypeInfo } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor, tensorBytes, tensorFromBytes } from '../tensor/tensor.ts'
import { requiredInputs } from './feeds.ts'

/** Rows of a run where the model takes any number: enough to work with, few enough for memory. */
export const ROWS = 32

/** The outermost extent that the inputs ask for; `undefined` where they take any. */
export function rowsWanted(graph: Graph): number | undefined {
  const dims = requiredInputs(graph).map(input => inputShape(input)?.[0])
  return dims.find(dim => typeof dim === 'number')
}

/** Rows of the data: the outermost extent of every feed. `undefined` where that differs, and the data is one run as it is. */
export function rowsOfData(graph: Graph, feeds: ReadonlyMap<string, RuntimeValue>): number | undefined {
  const inputs = requiredInputs(graph)
  const arrays = inputs.map(({ name }) => feeds.get(name))
  const [first] = arrays
  const rows = isTensor(first) ? first.shape[0] : undefined
  const wanted = rowsWanted(graph)
  const alike =
    arrays.every(
      array =>
        isTensor(array) &&
        array.shape[0] === rows &&
        array.dtype !== 'string' &&
        dtypeInfo(array.dtype).bits >= 8,
    ) &&
    inputs.every(input => {
      const dim = inputShape(input)?.[0]
      return typeof dim !== 'number' || dim === wanted
    })
  return alike ? rows : undefined
}

/**
 * `feeds` in pieces along their outermost axis: of as many rows as the inputs ask for, or `rows` where they take any number.
 * Feeds that do not all have the same number of rows, a multiple of what is asked for, are one run as they are.
 */
export function batchesOf(
  graph: Graph,
  feeds: ReadonlyMap<string, RuntimeValue>,
  rows: number = ROWS,
): readonly ReadonlyMap<string, RuntimeValue>[] {
  const count = rowsOfData(graph, feeds)
  const wanted = rowsWanted(graph)
  const taken = wanted ?? rows
  const splits =
    count !== undefined && count > taken && taken > 0 && (wanted === undefined || count % taken === 0)
  if (!splits) return [feeds]
  return Array.from({ length: Math.ceil(count / taken) }, (_, i) =>
    feedRows(graph, feeds, i * taken, Math.min(count, (i + 1) * taken)),
  )
}

/**
 * Rows [from, to) of all inputs, of which {@link rowsOfData} must know how many there are; what else is fed, in place of a
 * default, stays as it is.
 */
export function feedRows(
  graph: Graph,
  feeds: ReadonlyMap<string, RuntimeValue>,
  from: number,
  to: number,
): ReadonlyMap<string, RuntimeValue> {
  const inputs = new Set(requiredInputs(graph).map(({ name }) => name))
  return new Map(
    Array.from(feeds, ([name, value]) => [
      name,
      inputs.has(name) && isTensor(value) ? tensorRows(value, from, to) : value,
    ]),
  )
}

/** Rows [from, to) of a tensor whose elements are whole bytes; shares its memory. */
export function tensorRows(source: Tensor, from: number, to: number): Tensor {
  const shape = [to - from, ...source.shape.slice(1)]
  const row = (sizeOf(source.shape.slice(1)) * dtypeInfo(source.dtype).bits) / 8
  return tensorFromBytes(source.dtype, shape, tensorBytes(source).subarray(from * row, to * row))
}
