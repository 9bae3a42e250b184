/** Elements added, or taken away, at both ends of axes. */
import { EspalierError } from '../../errors.ts'
import { addDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { formatShape, normalizeAxes, normalizeAxis } from '../../tensor/shape.ts'
import { elementCount, type Tensor, zeros } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'
import type { EvaluateContext, Op } from '../op.ts'
import {
  allTypes13,
  float,
  floats16,
  numeric16,
  required,
  type Schema,
  string,
  type TypeName,
} from '../schema.ts'
import { typed } from '../support/infer.ts'
import { allNumbers, givenList, inferredList } from '../support/integers.ts'
import { lowerPick, type Steering, steeredInRun, steering } from '../support/lower-movement.ts'
import { outputSize, selectAxes, tableOf } from '../support/movement.ts'
import { since21, versionsOf } from '../support/versions.ts'

const outputs = ['output: T']
type Mode = 'constant' | 'reflect' | 'edge' | 'wrap'
const modes: readonly Mode[] = ['constant', 'reflect', 'edge']
const withPads = (T: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'pads: int64', 'constant_value?: T'],
  outputs,
  types: { T },
  attributes: { mode: string('constant', modes) },
})
const withAxes = (T: readonly TypeName[], choices: readonly string[]): Schema => ({
  inputs: ['data: T', 'pads: int64', 'constant_value?: T', 'axes?: Tind'],
  outputs,
  types: { T, Tind: ['int32', 'int64'] },
  attributes: { mode: string('constant', choices) },
})

export const Pad: Op = {
  name: 'Pad',
  doc: 'The input with elements added at both ends of its axes: a constant, its mirror image, its edge or itself.',
  versions: {
    2: {
      inputs: ['data: T'],
      outputs,
      types: { T: floats16 },
      attributes: { mode: string('constant', modes), pads: required('ints'), value: float(0) },
    },
    11: withPads(numeric16),
    13: withPads(allTypes13),
    18: withAxes(allTypes13, modes),
    ...versionsOf({ 19: allTypes13, ...since21 }, T => withAxes(T, [...modes, 'wrap'])),
  },
  infer(c) {
    const shape = c.shape(0)
    if (shape === undefined) return [typed(c.dtype(0), undefined)]
    const pads = inferredList(c, 'pads', 1)
    const given = inferredList(c, 'axes', 3)
    const axes = allNumbers(given)
    if (!pads || (given !== undefined && axes === undefined))
      return [
        typed(
          c.dtype(0),
          shape.map(() => null),
        ),
      ]
    return [typed(c.dtype(0), paddedShape(shape, padsByAxis(shape.length, pads, axes)))]
  },
  evaluate(c) {
    const data = c.tensor(0)
    const pads = padsOf(c, data.shape.length)
    const shape = paddedShape(data.shape, pads) as readonly number[]
    if (outputSize(data.dtype, shape) === 0) return [zeros(data.dtype, shape)]
    const mode = c.attributes.string('mode') as Mode
    const tables = data.shape.map((extent, axis) => sourceTable(extent, pads[axis]!, mode))
    return [selectAxes(data, tables, mode === 'constant' ? fillOf(c, data) : undefined)]
  },
  lower: lowerPad,
}

function lowerPad(c: LowerContext): string | undefined {
  const steered = steering(c, 1, 3)
  if (steered === undefined) return steeredInRun
  const { dtype, shape } = c.type(0)
  const pads = padsOf(steered, shape.length)
  if (paddedShape(shape, pads).includes(0)) return undefined
  const mode = c.attributes.string('mode') as Mode
  const tables = shape.map((extent, axis) => sourceTable(extent, pads[axis]!, mode))
  if (mode !== 'constant') return lowerPick(c, tables)
  if (c.version >= 11) return lowerPick(c, tables, c.optionalInput(2))
  const value = fromNumbers(dtype, [], [c.attributes.float('value')])
  return lowerPick(c, tables, c.table(value.data as ArrayBufferView))
}

function padsOf(c: Steering, rank: number): Pads<number> {
  return padsByAxis(rank, givenList(c, 'pads', 1) ?? [], givenList(c, 'axes', 3)) as Pads<number>
}

/** Elements to add before and after each axis; negative to take away. */
type Pads<D extends Dim> = readonly (readonly [D, D])[]

function padsByAxis(rank: number, pads: readonly Dim[], axes: readonly number[] | undefined): Pads<Dim> {
  const named = axes ?? Array.from({ length: rank }, (_, axis) => axis)
  normalizeAxes(named, rank)
  if (pads.length !== 2 * named.length)
    throw new EspalierError('bad-shape', 'there are not two pads for each axis', {
      where: { field: 'pads' },
      expected: `${2 * named.length}`,
      got: `${pads.length}`,
    })
  const result = Array.from({ length: rank }, (): [Dim, Dim] => [0, 0])
  for (const [i, axis] of named.entries())
    result[normalizeAxis(axis, rank)] = [pads[i]!, pads[named.length + i]!]
  return result
}

function paddedShape(shape: readonly Dim[], pads: Pads<Dim>): readonly Dim[] {
  return shape.map((extent, axis) => {
    const [before, after] = pads[axis]!
    const padded = addDims(addDims(extent, before), after)
    if (typeof padded === 'number' && padded < 0)
      throw new EspalierError('bad-shape', `the pads take more away from axis ${axis} than there is`, {
        expected: `at most ${extent}`,
        got: `${before} and ${after}`,
      })
    return padded
  })
}

/**
 * Which position of an axis each position of the padded axis shows, -1 for the constant. What negative pads take away is
 * gone before the rest is mirrored or repeated, as in onnxruntime. `undefined` for an axis that stays.
 */
function sourceTable(
  extent: number,
  [before, after]: readonly [number, number],
  mode: Mode,
): Float64Array | undefined {
  if (before === 0 && after === 0) return undefined
  const start = Math.max(0, -before)
  const kept = Math.max(0, extent - start - Math.max(0, -after))
  if (kept === 0 && mode !== 'constant')
    throw new EspalierError('bad-shape', `an empty axis cannot be padded in mode "${mode}"`)
  const within = placement(mode, kept)
  const lead = Math.max(0, before)
  return tableOf(extent + before + after, i => {
    const position = within(i - lead)
    return position < 0 ? -1 : start + position
  })
}

/** Where a position outside `[0, extent)` takes its element from; -1 for none. */
function placement(mode: Mode, extent: number): (position: number) => number {
  const modulo = (position: number, period: number): number => ((position % period) + period) % period
  switch (mode) {
    case 'constant':
      return position => (position < extent ? position : -1)
    case 'edge':
      return position => Math.min(Math.max(position, 0), extent - 1)
    case 'wrap':
      return position => modulo(position, extent)
    case 'reflect': {
      const period = Math.max(1, 2 * (extent - 1))
      return position => {
        const along = modulo(position, period)
        return Math.min(along, period - along)
      }
    }
  }
}

function fillOf(c: EvaluateContext, data: Tensor): Tensor | undefined {
  if (c.version < 11) return fromNumbers(data.dtype, [], [c.attributes.float('value')])
  const value = c.optionalTensor(2)
  if (value === undefined || (value.dtype === data.dtype && elementCount(value) === 1)) return value
  throw new EspalierError(
    'bad-shape',
    'the value to pad with is not one element of the data type of the input',
    {
      expected: `${data.dtype}, one element`,
      got: `${value.dtype} of shape ${formatShape(value.shape)}`,
    },
  )
}
