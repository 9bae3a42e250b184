/**
 * Dropout. It drops in training mode only, which an operator set below 12 has no word for: there the input is passed
 * on. With a seed, the same elements are dropped as by ONNX's reference implementation.
 */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers, full, numbers } from '../../tensor/elements.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { float, float8s, floats, floats16, optional, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { emitFill } from '../support/lower-movement.ts'
import { mersenneTwister } from '../support/mersenne-twister.ts'
import { single } from '../support/scalars.ts'

const version = (T: readonly TypeName[], T1: readonly TypeName[]): Schema => ({
  inputs: ['data: T', 'ratio?: T1', 'training_mode?: T2'],
  outputs: ['output: T', 'mask?: T2'],
  types: { T, T1, T2: ['bool'] },
  attributes: { seed: optional('int') },
})

export const Dropout: Op = {
  name: 'Dropout',
  doc: 'In training mode, sets elements to zero at random and scales the others up; otherwise the input itself.',
  versions: {
    7: {
      inputs: ['data: T'],
      outputs: ['output: T', 'mask?: T'],
      types: { T: floats16 },
      attributes: { ratio: float(0.5) },
    },
    10: {
      inputs: ['data: T'],
      outputs: ['output: T', 'mask?: T1'],
      types: { T: floats16, T1: ['bool'] },
      attributes: { ratio: float(0.5) },
    },
    12: version(floats16, floats16),
    13: version(floats, floats16),
    22: version([...floats, ...float8s], [...floats, ...float8s]),
  },
  impure: true,
  infer(c) {
    const mask = typed(maskType(c.version, c.dtype(0)), c.shape(0))
    return [c.inputs[0], mask].slice(0, c.outputCount)
  },
  evaluate(c) {
    const data = c.tensor(0)
    const mask = maskType(c.version, data.dtype)!
    const ratio = droppedShare(c)
    if (ratio === 0) return [data, full(mask, data.shape, 1)].slice(0, c.outputCount)
    const seed = c.attributes.optionalInt('seed')
    const random = seed === undefined ? c.random() : mersenneTwister(seed)
    const x = numbers(data)
    const kept = new Float64Array(x.length)
    for (let i = 0; i < x.length; i++) kept[i] = random() >= ratio ? 1 : 0
    const scale = 1 / (1 - ratio)
    return [
      fromNumbers(
        data.dtype,
        data.shape,
        x.map((value, i) => value * kept[i]! * scale),
      ),
      fromNumbers(mask, data.shape, kept),
    ].slice(0, c.outputCount)
  },
  lower(c) {
    if (c.hasInput(2)) {
      const training = c.constant(2)
      if (training === undefined || single(training, 'training_mode') !== 0) return 'dropout in training mode'
    }
    if (c.hasOutput(1) && c.outputType(1).dtype !== 'bool') return 'a mask that is not bool'
    c.alias(0, 0)
    if (c.hasOutput(1)) emitFill(c, 1, c.table(Uint8Array.of(1)))
    return undefined
  },
}

function maskType(version: number, data: DType | undefined): DType | undefined {
  return version < 10 ? data : 'bool'
}

/** Share of the elements to drop: 0 outside of training. */
function droppedShare(c: EvaluateContext): number {
  const training = c.optionalTensor(2)
  if (training === undefined || single(training, 'training_mode') === 0) return 0
  const input = c.optionalTensor(1)
  const ratio = input === undefined ? 0.5 : single(input, 'the ratio')
  if (ratio >= 0 && ratio < 1) return ratio
  throw new EspalierError('bad-argument', 'not a share of elements to drop', {
    expected: '0 or more, below 1',
    got: `${ratio}`,
  })
}
