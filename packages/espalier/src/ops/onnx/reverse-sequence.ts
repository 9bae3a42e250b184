/** Sequences of different lengths, each run backwards. */
import { EspalierError } from '../../errors.ts'
import { forEachIndex, formatShape, normalizeAxis, sizeOf, stridesOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { NodeContext, Op } from '../op.ts'
import { allTypes, int } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { elementBytes, movable, notMovable } from '../support/lower-movement.ts'
import { cellsOf, copyRun, newCells, tensorOfCells } from '../support/movement.ts'

export const ReverseSequence: Op = {
  name: 'ReverseSequence',
  doc: 'The input with the first `sequence_lens[i]` steps of each batch entry i in reverse.',
  versions: {
    10: {
      inputs: ['input: T', 'sequence_lens: int64'],
      outputs: ['Y: T'],
      types: { T: allTypes },
      attributes: { batch_axis: int(1), time_axis: int(0) },
    },
  },
  infer: sameAsFirst,
  lower: lowerReverse,
  evaluate(c) {
    const input = c.tensor(0)
    const { shape } = input
    const { batch, time } = readAxes(c, shape.length)
    const lengths = listOf(c.tensor(1), 'sequence_lens')
    const steps = shape[time]!
    if (lengths.length !== shape[batch] || lengths.some(length => length < 0 || length > steps))
      throw new EspalierError('bad-argument', 'the lengths do not fit the input', {
        where: { field: 'sequence_lens' },
        expected: `${shape[batch]} numbers from 0 to ${steps}`,
        got: `[${lengths.join(', ')}] for shape ${formatShape(shape)}`,
      })
    const cells = newCells(input.dtype, shape)
    const from = cellsOf(input)
    const strides = stridesOf(shape)
    const run = strides[1]!
    const outer = shape.slice(0, 2)
    forEachIndex(
      outer,
      [
        [1, 0],
        [0, 1],
      ],
      (index, at) => {
        const step = at[time]!
        const length = lengths[at[batch]!]!
        const moved = step < length ? length - 1 - step : step
        copyRun(cells, index * run, from, index * run + (moved - step) * strides[time]!, run)
      },
    )
    return [tensorOfCells(cells, shape)]
  },
}

function readAxes(
  { attributes }: Pick<NodeContext, 'attributes'>,
  rank: number,
): { readonly batch: number; readonly time: number } {
  const batch = normalizeAxis(attributes.int('batch_axis'), rank)
  const time = normalizeAxis(attributes.int('time_axis'), rank)
  if (Math.min(batch, time) === 0 && Math.max(batch, time) === 1) return { batch, time }
  throw new EspalierError('bad-argument', 'batch and time are not the first two axes', {
    expected: '0 and 1, in either order',
    got: `${batch} and ${time}`,
  })
}

function lowerReverse(c: LowerContext): string | undefined {
  const { dtype, shape } = c.type(0)
  if (!movable(dtype)) return notMovable(dtype)
  const { batch, time } = readAxes(c, shape.length)
  c.emit('reverse_sequences', {
    x: c.input(0),
    lengths: c.input(1),
    y: c.output(0),
    sequences: shape[batch]!,
    steps: shape[time]!,
    sequenceStride: batch === 0 ? shape[1]! : 1,
    stepStride: time === 0 ? shape[1]! : 1,
    run: sizeOf(shape.slice(2)) * elementBytes(dtype),
  })
  return undefined
}
