/** Type inference that many operators share: same as an input, and broadcasting of symbolic shapes. */
import { EspalierError } from '../../errors.ts'
import { differentDims, sameDim } from '../../graph/dim.ts'
import { type Dim, type TensorType, tensorType, type ValueType } from '../../graph/graph.ts'
import type { DType } from '../../tensor/dtype.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { InferContext } from '../op.ts'

/** A tensor type when the data type is known, otherwise nothing. */
export function typed(dtype: DType | undefined, shape: readonly Dim[] | undefined): TensorType | undefined {
  return dtype === undefined ? undefined : tensorType(dtype, shape)
}

/** The first output has type and shape of the first input. */
export function sameAsFirst(c: InferContext): readonly (ValueType | undefined)[] {
  return [c.inputs[0]]
}

/**
 * The shape that symbolic shapes broadcast to; `undefined` when a rank is unknown. Throws `bad-shape` on a
 * sure misfit.
 */
export function broadcastDims(...shapes: (readonly Dim[] | undefined)[]): Dim[] | undefined {
  const result: Dim[] = []
  const rank = Math.max(0, ...shapes.map(shape => shape?.length ?? 0))
  if (shapes.some(shape => shape === undefined)) return undefined
  for (let axis = 0; axis < rank; axis++) {
    let merged: Dim = 1
    for (const shape of shapes as (readonly Dim[])[]) {
      const at = axis - rank + shape.length
      if (at < 0) continue
      const extent = shape[at]!
      if (extent === 1 || sameDim(extent, merged)) continue
      if (merged === 1) merged = extent
      else if (typeof merged === 'number' && typeof extent === 'number' && differentDims(merged, extent))
        throw new EspalierError(
          'bad-shape',
          `shapes ${shapes.map(s => formatShape(s as readonly Dim[])).join(' and ')} do not broadcast`,
        )
      // A number above 1 wins over an unknown; two different unknowns stay unknown.
      else if (typeof extent === 'number') merged = extent
      else if (typeof merged !== 'number') merged = null
    }
    result.push(merged)
  }
  return result
}

/** The first output broadcasts all inputs; its data type is `dtype`, or the first input's. */
export function broadcastAll(
  c: InferContext,
  dtype: DType | undefined = c.dtype(0),
): readonly (ValueType | undefined)[] {
  return [typed(dtype, broadcastDims(...c.inputs.map((_, index) => c.shape(index))))]
}
