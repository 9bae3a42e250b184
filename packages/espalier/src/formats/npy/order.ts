/** Memory order: npy files may hold their elements column by column ("Fortran order"); tensors here are row-major. */
import { forEachIndex, type Shape } from '../../tensor/shape.ts'

/**
 * Copies column-major elements into `target` in row-major order. `parts` is the number of array elements that one
 * tensor element takes (2 for complex numbers). Both arrays are as long as `shape` asks.
 */
export function toRowMajor(
  source: { readonly [index: number]: unknown },
  target: { [index: number]: unknown },
  shape: Shape,
  parts: number,
): void {
  let step = 1
  const strides = shape.map(extent => {
    const stride = step
    step *= extent
    return stride
  })
  forEachIndex(shape, [strides], (index, [offset]) => {
    for (let part = 0; part < parts; part++) target[index * parts + part] = source[offset! * parts + part]
  })
}
