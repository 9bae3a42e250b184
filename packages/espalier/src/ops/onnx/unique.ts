/**
 * The distinct elements of a tensor, or distinct slices along an axis. NaN counts as one value, behind every number;
 * complex numbers are ordered by their real part, then by the imaginary one.
 */
import { productOfDims } from '../../graph/dim.ts'
import { tensorType } from '../../graph/graph.ts'
import { dtypeInfo, isBigInt } from '../../tensor/dtype.ts'
import { bigints, numbers, strings } from '../../tensor/elements.ts'
import { normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import { elementCount, int64, reshape, type Tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes, int, optional } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { selectAxes } from '../support/movement.ts'
import { compareNumbers, compareTexts } from '../support/ordering.ts'

export const Unique: Op = {
  name: 'Unique',
  doc: 'The distinct elements (or slices along `axis`), where each first occurs, where each element went, and counts.',
  versions: {
    11: {
      inputs: ['X: T'],
      outputs: ['Y: T', 'indices?: int64', 'inverse_indices?: int64', 'counts?: int64'],
      types: { T: allTypes },
      attributes: { axis: optional('int'), sorted: int(1) },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    const axis = c.attributes.optionalInt('axis')
    const values = axis === undefined ? [null] : shape?.with(normalizeAxis(axis, shape.length), null)
    const list = tensorType('int64', [null])
    const extent =
      shape && (axis === undefined ? productOfDims(shape) : shape[normalizeAxis(axis, shape.length)]!)
    return [typed(c.dtype(0), values), list, tensorType('int64', [extent ?? null]), list]
  },
  evaluate(c) {
    const axis = c.attributes.optionalInt('axis')
    const x = axis === undefined ? reshape(c.tensor(0), [elementCount(c.tensor(0))]) : c.tensor(0)
    const at = normalizeAxis(axis ?? 0, x.shape.length)
    const groups = groupEqual(x.shape[at]!, compareSlices(x, at))
    if (c.attributes.int('sorted') === 0) groups.sort((a, b) => a[0]! - b[0]!)
    const firsts = groups.map(group => group[0]!)
    const inverse = new Array<number>(x.shape[at]!)
    for (const [index, group] of groups.entries()) for (const member of group) inverse[member] = index
    const tables = x.shape.map((_, other) => (other === at ? firsts : undefined))
    return [selectAxes(x, tables), int64(firsts), int64(inverse), int64(groups.map(group => group.length))]
  },
}

/** The numbers below `count` in groups of equals, each ascending, in the order of `compare`. */
function groupEqual(count: number, compare: (a: number, b: number) => number): number[][] {
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => compare(a, b) || a - b)
  const groups: number[][] = []
  for (const member of order) {
    const last = groups.at(-1)
    if (last !== undefined && compare(last[0]!, member) === 0) last.push(member)
    else groups.push([member])
  }
  return groups
}

/** Compares the slices of `x` at two positions of `axis`, element by element. */
function compareSlices(x: Tensor, axis: number): (a: number, b: number) => number {
  const compare = compareElements(x)
  const inner = sizeOf(x.shape.slice(axis + 1))
  const outer = sizeOf(x.shape.slice(0, axis))
  const rows = x.shape[axis]! * inner
  return (a, b) => {
    for (let row = 0; row < outer; row++)
      for (let i = 0; i < inner; i++) {
        const difference = compare(row * rows + a * inner + i, row * rows + b * inner + i)
        if (difference !== 0) return difference
      }
    return 0
  }
}

function compareElements(x: Tensor): (a: number, b: number) => number {
  if (x.dtype === 'string') {
    const texts = strings(x)
    return (a, b) => compareTexts(texts[a]!, texts[b]!)
  }
  if (isBigInt(x.dtype)) {
    const values = bigints(x)
    return (a, b) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0)
  }
  const values = numbers(x)
  if (dtypeInfo(x.dtype).kind !== 'complex') return (a, b) => compareNumbers(values[a]!, values[b]!)
  return (a, b) =>
    compareNumbers(values[2 * a]!, values[2 * b]!) || compareNumbers(values[2 * a + 1]!, values[2 * b + 1]!)
}
