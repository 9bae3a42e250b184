/** Operators that fill a tensor with random numbers: shape and type given by attributes, or taken from an input. */
import { EspalierError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import type { Shape } from '../../tensor/shape.ts'
import { allocate, type Tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, Op } from '../op.ts'
import {
  type AttributeSchema,
  allTypes,
  allTypes13,
  floats,
  floats16,
  int,
  optional,
  required,
  type Schema,
} from '../schema.ts'
import { typed } from './infer.ts'
import { outputSize } from './movement.ts'
import { readDtype } from './precision.ts'

/** Makes a source of values from a source of numbers in [0, 1). */
type Distribution = (attributes: Attributes, random: () => number) => () => number

type Parameters = Readonly<Record<string, AttributeSchema>>

/** The executor's random numbers, from the node's seed when it has one. */
export function randomOf(c: EvaluateContext): () => number {
  const seed = c.attributes.optionalFloat('seed')
  return seed === undefined || Number.isNaN(seed) ? c.random() : c.random(seed)
}

/** An operator whose output has the shape and the type that its attributes say. */
export function randomTensor(
  header: Pick<Op, 'name' | 'doc'>,
  parameters: Parameters,
  distribution: Distribution,
): Op {
  const version = (T: readonly DType[]): Schema => ({
    inputs: [],
    outputs: ['output: T'],
    types: { T },
    attributes: { ...parameters, dtype: int(1), seed: optional('float'), shape: required('ints') },
  })
  return {
    ...header,
    versions: { 1: version(floats16), 22: version(floats) },
    impure: true,
    infer: c => [typed(readDtype(c.attributes, 'dtype', floats), c.attributes.ints('shape'))],
    evaluate(c) {
      const dtype = readDtype(c.attributes, 'dtype', floats) ?? 'float32'
      return [draw(dtype, c.attributes.ints('shape'), distribution(c.attributes, randomOf(c)))]
    },
  }
}

/** An operator whose output has the shape of its input, and its type unless an attribute says another. */
export function randomLike(
  header: Pick<Op, 'name' | 'doc'>,
  parameters: Parameters,
  distribution: Distribution,
): Op {
  const version = (T1: readonly DType[], T2: readonly DType[]): Schema => ({
    inputs: ['input: T1'],
    outputs: ['output: T2'],
    types: { T1, T2 },
    attributes: { ...parameters, dtype: optional('int'), seed: optional('float') },
  })
  return {
    ...header,
    versions: { 1: version(allTypes, floats16), 22: version(allTypes13, floats) },
    impure: true,
    infer: c => [typed(readDtype(c.attributes, 'dtype', floats) ?? c.dtype(0), c.shape(0))],
    evaluate(c) {
      const input = c.tensor(0)
      const dtype = readDtype(c.attributes, 'dtype', floats) ?? input.dtype
      if (!floats.includes(dtype))
        throw new EspalierError('bad-dtype', 'random numbers of this type cannot be drawn', {
          expected: floats.join(', '),
          got: dtype,
          hint: 'Set "dtype" to a floating-point type',
        })
      return [draw(dtype, input.shape, distribution(c.attributes, randomOf(c)))]
    },
  }
}

function draw(dtype: DType, shape: Shape, next: () => number): Tensor {
  const values = allocate('float64', outputSize('float64', shape))
  for (let i = 0; i < values.length; i++) values[i] = next()
  return fromNumbers(dtype, shape, values)
}

/** Normally distributed numbers, two at a time (Box and Muller 1958). */
export const normal: Distribution = (attributes, random) => {
  const [mean, scale] = [attributes.float('mean'), attributes.float('scale')]
  let spare: number | undefined
  return () => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return mean + scale * value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random())) // 1 - u is never 0
    const angle = 2 * Math.PI * random()
    spare = radius * Math.sin(angle)
    return mean + scale * radius * Math.cos(angle)
  }
}

/** Uniformly distributed numbers. */
export const uniform: Distribution = (attributes, random) => {
  const [low, high] = [attributes.float('low'), attributes.float('high')]
  return () => low + (high - low) * random()
}
