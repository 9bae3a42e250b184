/**
 * The largest or smallest elements along an axis. Equal elements come in the order of their positions; NaN counts as
 * greater than every number, as in NumPy and PyTorch (onnxruntime leaves its place open). Always sorted: without
 * `sorted` any order is allowed.
 */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { tensorType } from '../../graph/graph.ts'
import { isBigInt } from '../../tensor/dtype.ts'
import { bigints, numbers } from '../../tensor/elements.ts'
import { normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { floats16, int, numeric, numeric16, required, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { lowerTopK } from '../support/lower-lines.ts'
import { gatherElements } from '../support/movement.ts'
import { compareNumbers } from '../support/ordering.ts'
import { single } from '../support/scalars.ts'

const outputs = ['Values: T', 'Indices: I']
const attributes = { axis: int(-1) }
const choosing = (T: readonly TypeName[]): Schema => ({
  inputs: ['X: T', 'K: int64'],
  outputs,
  types: { T, I: ['int64'] },
  attributes: { ...attributes, largest: int(1), sorted: int(1) },
})

export const TopK: Op = {
  name: 'TopK',
  doc: 'The `K` largest (or smallest) elements along an axis, with their positions.',
  versions: {
    1: {
      inputs: ['X: T'],
      outputs,
      types: { T: floats16, I: ['int64'] },
      attributes: { ...attributes, k: required('int') },
    },
    10: { inputs: ['X: T', 'K: int64'], outputs, types: { T: floats16, I: ['int64'] }, attributes },
    11: choosing(numeric16),
    24: choosing(numeric),
  },
  infer(c) {
    const shape = c.shape(0)
    const k: Dim = c.version < 10 ? c.attributes.int('k') : (c.content(1)?.[0] ?? null)
    const result = shape?.with(normalizeAxis(c.attributes.int('axis'), shape.length), k)
    return [typed(c.dtype(0), result), tensorType('int64', result)]
  },
  lower: lowerTopK,
  evaluate(c) {
    const x = c.tensor(0)
    const axis = normalizeAxis(c.attributes.int('axis'), x.shape.length)
    const extent = x.shape[axis]!
    const k = c.version < 10 ? c.attributes.int('k') : single(c.tensor(1), 'K')
    if (k < 0 || k > extent)
      throw new EspalierError('bad-argument', `there are not ${k} elements along axis ${axis}`, {
        expected: `0 to ${extent}`,
        got: `${k}`,
      })
    const shape = x.shape.with(axis, k)
    const inner = sizeOf(x.shape.slice(axis + 1))
    const lines = sizeOf(x.shape.slice(0, axis)) * inner
    const sources = new Float64Array(sizeOf(shape))
    const indices = new BigInt64Array(sources.length)
    const compare = order(x, c)
    for (let line = 0; line < lines; line++) {
      const [row, column] = [Math.floor(line / inner), line % inner]
      const first = row * extent * inner + column
      const best = Array.from({ length: extent }, (_, i) => first + i * inner).sort(compare)
      for (let i = 0; i < k; i++) {
        const at = (row * k + i) * inner + column
        sources[at] = best[i]!
        indices[at] = BigInt((best[i]! - first) / inner)
      }
    }
    return [gatherElements(x, shape, i => sources[i]!), tensor('int64', shape, indices)]
  },
}

/** Compares two positions of `x`: negative when the first comes first. */
function order(x: Tensor, c: EvaluateContext): (a: number, b: number) => number {
  const sign = (c.attributes.optionalInt('largest') ?? 1) !== 0 ? -1 : 1
  if (isBigInt(x.dtype)) {
    const values = bigints(x)
    return (a, b) => (values[a]! === values[b]! ? a - b : values[a]! < values[b]! ? -sign : sign)
  }
  const values = numbers(x)
  return (a, b) => sign * compareNumbers(values[a]!, values[b]!) || a - b
}
