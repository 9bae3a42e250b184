/**
 * Writing updates into a copy of data at given positions, replacing what is there or combining it: what Scatter,
 * ScatterElements and ScatterND share. Numbers are combined in float64 (integers in bigint) and rounded once.
 */
import { EspalierError } from '../../errors.ts'
import { dtypeInfo, isInteger } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Attributes } from '../op.ts'
import { cellsOf, copyCells, copyRun, tensorOfCells } from './movement.ts'

/** ONNX's `reduction`. */
export type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min'

/** The attribute `reduction`; versions without it replace. */
export function reductionOf(attributes: Attributes): Reduction {
  return (attributes.optionalString('reduction') ?? 'none') as Reduction
}

/** What is written where: `run` elements in a row at each of `positions`. */
export interface Placement {
  readonly positions: ArrayLike<number>
  readonly run: number
}

/** `data` with `updates` written; with a `reduction` other than `none` they are combined with what is there, in order. */
export function scatter(
  data: Tensor,
  updates: Tensor,
  { positions, run }: Placement,
  reduction: Reduction,
): Tensor {
  if (updates.dtype !== data.dtype)
    throw new EspalierError('bad-dtype', 'the updates are not of the data type of the data', {
      expected: data.dtype,
      got: updates.dtype,
    })
  if (reduction === 'none') {
    const cells = copyCells(data)
    const from = cellsOf(updates)
    for (let i = 0; i < positions.length; i++) copyRun(cells, positions[i]!, from, i * run, run)
    return tensorOfCells(cells, data.shape)
  }
  const { kind } = dtypeInfo(data.dtype)
  if (kind === 'string' || kind === 'complex')
    throw new EspalierError('unsupported', `${data.dtype} updates cannot be combined`, {
      where: { field: 'reduction' },
      expected: 'none',
      got: reduction,
    })
  if (isInteger(data.dtype)) {
    const result = Array.from<bigint>(bigints(data))
    combine(result, bigints(updates), positions, run, exactReductions[reduction])
    return fromBigInts(data.dtype, data.shape, result)
  }
  const result = numbers(data).slice()
  combine(result, numbers(updates), positions, run, reductions[reduction])
  return fromNumbers(data.dtype, data.shape, result)
}

const reductions: Readonly<Record<Exclude<Reduction, 'none'>, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
}

const exactReductions: Readonly<Record<Exclude<Reduction, 'none'>, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  max: (a, b) => larger(a, b),
  min: (a, b) => -larger(-a, -b),
}

/** `Math.max` does not take bigints. */
function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a
  return b
}

function combine<N>(
  result: { [index: number]: N },
  updates: ArrayLike<N>,
  positions: ArrayLike<number>,
  run: number,
  f: (a: N, b: N) => N,
): void {
  for (let i = 0; i < positions.length; i++)
    for (let k = 0; k < run; k++) {
      const at = positions[i]! + k
      result[at] = f(result[at]!, updates[i * run + k]!)
    }
}
