/** A tensor of one repeated value. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { tensorType } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { float32, type Tensor } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import { float8s, floats16, integers, optional, type TypeName } from '../schema.ts'
import { holdsContents } from '../support/contents.ts'
import { listOf } from '../support/integers.ts'
import { contentOrUnknown, mostContents } from '../support/known-lengths.ts'
import { emitFill, movable, notMovable } from '../support/lower-movement.ts'
import { fillCells, newCells, tensorOfCells } from '../support/movement.ts'
import { versionsOf } from '../support/versions.ts'

const types9: readonly TypeName[] = [...floats16, ...integers, 'bool']
const types20: readonly TypeName[] = [...types9, 'bfloat16', ...float8s]
const types21: readonly TypeName[] = [...types20, 'uint4', 'int4']
const types23: readonly TypeName[] = [...types21, 'float4e2m1']
const types24: readonly TypeName[] = [...types23, 'float8e8m0']
const types25: readonly TypeName[] = [...types24, 'uint2', 'int2']

export const ConstantOfShape: Op = {
  name: 'ConstantOfShape',
  doc: 'A tensor of the given shape, every element `value` (float32 0 when left out).',
  versions: versionsOf(
    { 9: types9, 20: types20, 21: types21, 23: types23, 24: types24, 25: types25 },
    T2 => ({
      inputs: ['input: T1'],
      outputs: ['output: T2'],
      types: { T1: ['int64'], T2 },
      attributes: { value: optional('tensor') },
    }),
  ),
  infer(c) {
    return [tensorType(fillValue(c.attributes).dtype, contentOrUnknown(c, 0))]
  },
  contents(c) {
    const shape = c.content(0)
    const count = shape?.length === 0 ? 1 : shape?.[0]
    if (shape === undefined || shape.length > 1 || typeof count !== 'number') return [undefined]
    if (count < 0 || count > mostContents) return [undefined]
    const value = fillValue(c.attributes)
    if (!holdsContents(value.dtype) && value.dtype !== 'bool') return [undefined]
    const number = numbers(value)[0]!
    return [new Array<Dim>(count).fill(Number.isSafeInteger(number) ? number : null)]
  },
  evaluate(c) {
    const shape = listOf(c.tensor(0), 'the shape')
    const cells = newCells(fillValue(c.attributes).dtype, shape)
    fillCells(cells, fillValue(c.attributes))
    return [tensorOfCells(cells, shape)]
  },
  lower(c) {
    const value = fillValue(c.attributes)
    if (!movable(value.dtype)) return notMovable(value.dtype)
    emitFill(c, 0, c.table(value.data as ArrayBufferView))
    return undefined
  },
}

const zero = float32([0])

function fillValue(attributes: Attributes): Tensor {
  const value = attributes.has('value') ? attributes.tensor('value') : zero
  if (sizeOf(value.shape) === 1) return value
  throw new EspalierError('bad-shape', 'the value is not a single element', {
    where: { field: 'value' },
    expected: 'one element',
    got: `shape ${formatShape(value.shape)}`,
  })
}
