/**
 * Cutting tensors along an axis and joining them again, for every data type: what the sequence operators,
 * `Loop` and `Scan` do with their elements.
 */
import { EspalierError } from '../../errors.ts'
import { formatShape, normalizeAxis, sameShape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { reshape, type Tensor } from '../../tensor/tensor.ts'
import { cellsOf, copyRun, copyStrided, newCells, tensorOfCells } from './movement.ts'

/**
 * The tensors one after the other along `axis`, which may count from the back. All must have one data type
 * and agree in every other axis (`bad-dtype`, `bad-shape`); there must be at least one (`bad-argument`).
 */
export function concatenate(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0]
  if (first === undefined) throw new EspalierError('bad-argument', 'nothing to concatenate')
  const at = normalizeAxis(axis, first.shape.length)
  for (const part of parts) {
    if (part.dtype !== first.dtype)
      throw new EspalierError('bad-dtype', 'tensors of several data types cannot be joined', {
        expected: first.dtype,
        got: part.dtype,
      })
    const sameRank = part.shape.length === first.shape.length
    if (!sameRank || !sameShape(part.shape.with(at, 0), first.shape.with(at, 0)))
      throw new EspalierError('bad-shape', `shapes do not fit along axis ${at}`, {
        expected: `${formatShape(first.shape)} in every other axis`,
        got: formatShape(part.shape),
      })
  }
  const extent = parts.reduce((sum, part) => sum + part.shape[at]!, 0)
  const shape = first.shape.with(at, extent)
  const outer = sizeOf(shape.slice(0, at))
  const to = newCells(first.dtype, shape)
  const sources = parts.map(part => ({ from: cellsOf(part), run: sizeOf(part.shape.slice(at)) }))
  let position = 0
  for (let row = 0; row < outer; row++)
    for (const { from, run } of sources) {
      copyRun(to, position, from, row * run, run)
      position += run
    }
  return tensorOfCells(to, shape)
}

/** The tensors, all of one shape, as slices of a new axis. `axis` counts in the result. */
export function stack(parts: readonly Tensor[], axis: number): Tensor {
  const at = normalizeAxis(axis, (parts[0]?.shape.length ?? 0) + 1)
  return concatenate(
    parts.map(part => reshape(part, part.shape.toSpliced(at, 0, 1))),
    at,
  )
}

/** Positions `start` (included) to `end` (not included) along `axis`; both lie within the extent. */
export function sliceAxis(source: Tensor, axis: number, start: number, end: number): Tensor {
  const at = normalizeAxis(axis, source.shape.length)
  if (start === 0 && end === source.shape[at]) return source
  const strides = stridesOf(source.shape)
  return copyStrided(source, source.shape.with(at, end - start), strides, start * strides[at]!)
}

/** The slice at `index` of `axis`, without that axis. */
export function sliceAt(source: Tensor, axis: number, index: number): Tensor {
  const at = normalizeAxis(axis, source.shape.length)
  const strides = stridesOf(source.shape)
  return copyStrided(source, source.shape.toSpliced(at, 1), strides.toSpliced(at, 1), index * strides[at]!)
}
