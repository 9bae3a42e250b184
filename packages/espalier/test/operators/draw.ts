/**
 * Random tensors for tables of cases. An entry of a table says shape and range; the numbers come from a generator that
 * is seeded by the case, so that every case always sees the same ones.
 */
import { type DType, dtypeInfo } from '../../src/tensor/dtype.ts'
import { fromBigInts, fromNumbers } from '../../src/tensor/elements.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

/** What a case offers to its inputs: the data type it is for, and numbers in [0, 1). */
export interface Source {
  readonly dtype: DType
  readonly random: () => number
}

/** An input of a case: a tensor, a way to draw one, or an omitted optional. */
export type Input = Tensor | ((source: Source) => Tensor) | undefined

type Shape = readonly number[]

/** Numbers in [low, high) of the case's data type, or of `fixed`; whole numbers for integers. */
export function real(shape: Shape, low = -3, high = 3, fixed?: DType): Input {
  return ({ dtype, random }) => drawReal(fixed ?? dtype, shape, low, high, random)
}

/** Whole numbers from `low` to `high`, both included. */
export function whole(shape: Shape, low: number, high: number, fixed?: DType): Input {
  return ({ dtype, random }) =>
    fill(fixed ?? dtype, shape, () => low + Math.floor(random() * (high - low + 1)))
}

/** Anything the data type can hold that is not extreme: fractions, small integers of both signs, words. */
export function any(shape: Shape, fixed?: DType): Input {
  return ({ dtype: own, random }) => {
    const dtype = fixed ?? own
    if (dtype === 'string') return words(shape, random)
    if (dtype === 'bool') return fill(dtype, shape, () => (random() < 0.5 ? 0 : 1))
    const { kind, bits } = dtypeInfo(dtype)
    if (kind === 'float' && bits >= 8) return drawReal(dtype, shape, -3, 3, random)
    const span = 2 ** Math.min(bits - 1, 5)
    return drawReal(dtype, shape, kind === 'uint' ? 0 : -span, kind === 'uint' ? 2 * span : span, random)
  }
}

/** Whole numbers without repetition, in random order. */
export function distinct(shape: Shape, fixed?: DType): Input {
  return ({ dtype, random }) => {
    const order = Array.from({ length: sizeOf(shape) }, (_, index) => index)
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    return fill(fixed ?? dtype, shape, index => order[index]!)
  }
}

/** The extremes of a data type in turn: zeros of both signs, NaN, infinities, ends of the range. */
export function odd(shape: Shape, fixed?: DType): Input {
  return ({ dtype: own, random }) => {
    const dtype = fixed ?? own
    if (dtype === 'string') return words(shape, random)
    const { kind, bits } = dtypeInfo(dtype)
    if (kind === 'int' || kind === 'uint') {
      const top = 2n ** BigInt(kind === 'int' ? bits - 1 : bits) - 1n
      const bottom = kind === 'int' ? -top - 1n : 0n
      const ends = [bottom, top, 0n, 1n, top - 1n, bottom + 1n, top / 2n]
      const values = Array.from({ length: sizeOf(shape) }, () => ends[Math.floor(random() * ends.length)]!)
      return fromBigInts(dtype, shape, values) as Tensor
    }
    const ends = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      -0,
      0,
      1,
      -1,
      1e-40,
      6e4,
      -2.5,
      0.5,
      1.5,
    ]
    return fill(dtype, shape, () => ends[Math.floor(random() * ends.length)]!)
  }
}

/** The given values. */
export function values(list: readonly number[], shape: Shape = [list.length], fixed?: DType): Input {
  return ({ dtype }) => fill(fixed ?? dtype, shape, index => list[index]!)
}

export function f32(list: readonly number[], shape?: Shape): Input {
  return values(list, shape, 'float32')
}

export function scalar(value: number, fixed?: DType): Input {
  return values([value], [], fixed)
}

/** A 1-D int64 tensor, as shapes and axes are. */
export function i64(...list: readonly number[]): Tensor {
  return tensor('int64', [list.length], BigInt64Array.from(list, BigInt))
}

export function text(...list: readonly string[]): Tensor {
  return tensor('string', [list.length], list)
}

export function textOf(shape: Shape, list: readonly string[]): Tensor {
  return tensor('string', shape, list)
}

function drawReal(dtype: DType, shape: Shape, low: number, high: number, random: () => number): Tensor {
  const round = dtypeInfo(dtype).kind === 'float' || dtypeInfo(dtype).kind === 'complex' ? Number : Math.floor
  return fill(dtype, shape, () => round(low + random() * (high - low)))
}

function fill(dtype: DType, shape: Shape, value: (index: number) => number): Tensor {
  const parts = dtypeInfo(dtype).kind === 'complex' ? 2 : 1
  return fromNumbers(
    dtype,
    shape,
    Float64Array.from({ length: sizeOf(shape) * parts }, (_, index) => value(index)),
  ) as Tensor
}

function words(shape: Shape, random: () => number): Tensor {
  const pool = ['', 'a', 'bc', 'α', 'a b', 'Ab', 'zz', '0']
  return tensor(
    'string',
    shape,
    Array.from({ length: sizeOf(shape) }, () => pool[Math.floor(random() * pool.length)]!),
  )
}
