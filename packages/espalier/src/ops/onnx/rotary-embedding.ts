/**
 * Rotary position embedding, arXiv 2104.09864: pairs of elements of each head are turned by an angle that
 * grows with the position. Pairs are the two halves of the rotated part, or neighbours when interleaved.
 */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, type Shape, sameShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { int, optional } from '../schema.ts'
import { sameAsFirst } from '../support/infer.ts'

export const RotaryEmbedding: Op = {
  name: 'RotaryEmbedding',
  doc: 'Rotates pairs of elements by angles that depend on the position.',
  versions: {
    23: {
      inputs: ['X: T', 'cos_cache: T', 'sin_cache: T', 'position_ids?: M'],
      outputs: ['Y: T'],
      types: { T: ['float32', 'float16', 'bfloat16'], M: ['int64'] },
      attributes: { interleaved: int(0), num_heads: optional('int'), rotary_embedding_dim: int(0) },
    },
  },
  infer: sameAsFirst,
  evaluate(c) {
    const x = c.tensor(0)
    const layout = readLayout(c, x.shape)
    const { batch, heads, steps, size, offset } = layout
    const rotated = c.attributes.int('rotary_embedding_dim') || size
    if (rotated < 0 || rotated > size || rotated % 2 !== 0)
      throw new EspalierError('bad-argument', 'the part to rotate is not an even part of a head', {
        where: { field: 'rotary_embedding_dim' },
        expected: `an even number up to ${size}`,
        got: `${rotated}`,
      })
    const half = rotated / 2
    const interleaved = c.attributes.int('interleaved') !== 0
    const row = readRows(c, batch, steps, half)
    const [cos, sin] = [numbers(c.tensor(1)), numbers(c.tensor(2))]
    const values = numbers(x)
    const y = values.slice()
    for (let n = 0; n < batch; n++)
      for (let s = 0; s < steps; s++) {
        const angles = row(n, s) * half
        for (let h = 0; h < heads; h++) {
          const at = offset(n, h, s)
          for (let i = 0; i < half; i++) {
            const first = at + (interleaved ? 2 * i : i)
            const second = interleaved ? first + 1 : first + half
            const [a, b] = [values[first]!, values[second]!]
            y[first] = cos[angles + i]! * a - sin[angles + i]! * b
            y[second] = sin[angles + i]! * a + cos[angles + i]! * b
          }
        }
      }
    return [fromNumbers(x.dtype, x.shape, y)]
  },
}

interface Layout {
  readonly batch: number
  readonly heads: number
  readonly steps: number
  readonly size: number
  /** Where a head begins. */
  offset(sample: number, head: number, step: number): number
}

/** [batch, heads, steps, size], or [batch, steps, heads * size] with `num_heads`. */
function readLayout(c: EvaluateContext, shape: Shape): Layout {
  if (shape.length === 4) {
    const [batch, heads, steps, size] = shape as [number, number, number, number]
    return { batch, heads, steps, size, offset: (n, h, s) => ((n * heads + h) * steps + s) * size }
  }
  const heads = c.attributes.optionalInt('num_heads') ?? 0
  if (shape.length === 3 && heads > 0 && shape[2]! % heads === 0) {
    const [batch, steps, all] = shape as [number, number, number]
    const size = all / heads
    return { batch, heads, steps, size, offset: (n, h, s) => ((n * steps + s) * heads + h) * size }
  }
  throw new EspalierError('bad-shape', 'the input does not divide into heads', {
    expected: 'rank 4, or rank 3 with a multiple of num_heads at the end',
    got: `${formatShape(shape)}, ${heads} heads`,
  })
}

/** The row of the caches that holds the angles of a step of a sample. */
function readRows(
  c: EvaluateContext,
  batch: number,
  steps: number,
  half: number,
): (sample: number, step: number) => number {
  const ids = c.optionalTensor(3)
  const rows = c.tensor(1).shape[0] ?? 0
  const shape = ids === undefined ? [batch, steps, half] : [rows, half]
  requireShape(c.tensor(1), 'cos_cache', shape)
  requireShape(c.tensor(2), 'sin_cache', shape)
  if (ids === undefined) return (sample, step) => sample * steps + step
  requireShape(ids, 'position_ids', [batch, steps])
  const positions = numbers(ids)
  const wrong = positions.find(position => position < 0 || position >= rows)
  if (wrong !== undefined)
    throw new EspalierError('bad-argument', `position ${wrong} is not in the caches`, {
      expected: `0 to ${rows - 1}`,
    })
  return (sample, step) => positions[sample * steps + step]!
}

function requireShape(source: Tensor, name: string, shape: Shape): void {
  if (sameShape(source.shape, shape)) return
  throw new EspalierError('bad-shape', `"${name}" does not fit the input`, {
    expected: formatShape(shape),
    got: formatShape(source.shape),
  })
}
