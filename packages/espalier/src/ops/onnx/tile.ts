/** Repetition along every axis. */
import { EspalierError } from '../../errors.ts'
import { multiplyDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { type Shape, stridesOf } from '../../tensor/shape.ts'
import { reshape } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { allTypes } from '../schema.ts'
import { contentOf } from '../support/contents.ts'
import { typed } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { contentOrUnknown, mostContents } from '../support/known-lengths.ts'
import { lowerView, steeredInRun, steering } from '../support/lower-movement.ts'
import { copyStrided, outputSize } from '../support/movement.ts'
import { upTo13, versionsOf } from '../support/versions.ts'

export const Tile: Op = {
  name: 'Tile',
  doc: 'The input repeated `repeats` times along each axis.',
  versions: versionsOf({ 6: allTypes, ...upTo13 }, T => ({
    inputs: ['input: T', 'repeats: T1'],
    outputs: ['output: T'],
    types: { T, T1: ['int64'] },
  })),
  infer(c) {
    const [shape, repeats] = [c.shape(0), contentOrUnknown(c, 1)]
    return [typed(c.dtype(0), shape && tiled(shape, repeats ?? shape.map(() => null)))]
  },
  contents(c) {
    const [input, repeats] = [contentOf(c, 0), c.content(1)]
    const count = repeats?.length === 0 ? 1 : repeats?.[0]
    if (input === undefined || typeof count !== 'number' || count < 0 || count > mostContents)
      return [undefined]
    return [new Array<readonly Dim[]>(count).fill(input).flat()]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const repeats = listOf(c.tensor(1), 'repeats')
    const shape = tiled(input.shape, repeats) as readonly number[]
    outputSize(input.dtype, shape)
    const repeated = repetition(input.shape, repeats)
    return [reshape(copyStrided(input, repeated.shape, repeated.strides), shape)]
  },
  lower(c) {
    const steered = steering(c, 1)
    if (steered === undefined) return steeredInRun
    return lowerView(c, repetition(c.type(0).shape, listOf(steered.tensor(1), 'repeats')))
  },
}

/** Each axis becomes two, of which the outer repeats without moving on. */
function repetition(shape: Shape, repeats: readonly number[]): { shape: Shape; strides: readonly number[] } {
  return {
    shape: shape.flatMap((extent, axis) => [repeats[axis]!, extent]),
    strides: stridesOf(shape).flatMap(stride => [0, stride]),
  }
}

function tiled(shape: readonly Dim[], repeats: readonly Dim[]): readonly Dim[] {
  if (repeats.length !== shape.length)
    throw new EspalierError('bad-shape', 'there is not one repeat for each axis', {
      expected: `${shape.length}`,
      got: `${repeats.length}`,
    })
  return shape.map((extent, axis) => {
    const repeat = repeats[axis]!
    if (typeof repeat === 'number' && repeat < 0)
      throw new EspalierError('bad-argument', `axis ${axis} cannot be repeated ${repeat} times`)
    return multiplyDims(extent, repeat)
  })
}
