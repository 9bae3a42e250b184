/** Random classes. */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { floats, floats16, int, optional, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import { exponentialsOf } from '../support/log-sum-exp.ts'
import { outputSize } from '../support/movement.ts'
import { readDtype } from '../support/precision.ts'
import { randomOf } from '../support/random-values.ts'

const results: readonly DType[] = ['int32', 'int64']
const version = (T1: readonly TypeName[]): Schema => ({
  inputs: ['input: T1'],
  outputs: ['output: T2'],
  types: { T1, T2: results },
  attributes: { dtype: int(6), sample_size: int(1), seed: optional('float') },
})

export const Multinomial: Op = {
  name: 'Multinomial',
  doc: 'Random classes, drawn with the probabilities whose logarithms (up to a constant) the input holds.',
  versions: { 7: version(floats16), 22: version(floats) },
  impure: true,
  infer(c) {
    const shape = c.shape(0)
    return [
      typed(
        readDtype(c.attributes, 'dtype', results),
        shape && sampleShape(shape, c.attributes.int('sample_size')),
      ),
    ]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const shape = sampleShape(input.shape, c.attributes.int('sample_size'))
    const samples = shape[1]!
    const x = numbers(input)
    const random = randomOf(c)
    const drawn = allocate('float64', outputSize('float64', shape))
    const { starts, steps } = linesAlong(input.shape, [1])
    for (const [row, start] of starts.entries()) {
      const sums = cumulativeShares(x, start, steps)
      for (let i = 0; i < samples; i++) drawn[row * samples + i] = drawClass(sums, random())
    }
    return [fromNumbers(readDtype(c.attributes, 'dtype', results) ?? 'int32', shape, drawn)]
  },
}

function sampleShape<D extends Dim>(shape: readonly D[], samples: number): [D, number] {
  if (shape.length === 2 && shape[1] !== 0 && samples >= 1) return [shape[0]!, samples]
  throw new EspalierError('bad-shape', 'there is nothing to draw from, or nothing to draw', {
    expected: 'an input batch x classes of at least one class, and a "sample_size" of 1 or more',
    got: `${formatShape(shape)} and ${samples}`,
  })
}

function cumulativeShares(x: Float64Array, start: number, steps: Uint32Array): Float64Array {
  const { largest } = exponentialsOf(x, start, steps)
  if (Number.isNaN(largest))
    throw new EspalierError('bad-argument', 'the logarithms give no probabilities', {
      expected: 'at least one finite number in every row, and neither NaN nor infinity',
    })
  const sums = new Float64Array(steps.length)
  let sum = 0
  for (const [i, step] of steps.entries()) sums[i] = sum += Math.exp(x[start + step]! - largest)
  return sums
}

/** The first class whose cumulative share exceeds `u` of the whole; the last possible one where rounding leaves none. */
function drawClass(sums: Float64Array, u: number): number {
  const whole = sums.at(-1)!
  const found = sums.findIndex(sum => sum > u * whole)
  return found >= 0 ? found : sums.indexOf(whole)
}
