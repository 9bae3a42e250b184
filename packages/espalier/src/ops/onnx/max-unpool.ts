/**
 * The partial inverse of MaxPool: values go back to where they came from, everything else is zero. Indices
 * are read in the shape that kernel, strides and pads give; where `output_shape` asks for more, that block
 * lies in its first corner. This is what ONNX's own example and reference do; onnxruntime reads the indices
 * in `output_shape` instead.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, multiplyDims, subtractDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { forEachIndex, formatShape, type Shape, sameShape, stridesOf } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Attributes, Op } from '../op.ts'
import { floats, floats16, optional, required, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { listOf } from '../support/integers.ts'
import { outputSize } from '../support/movement.ts'
import { readWindow } from '../support/window.ts'

const version = (T1: readonly TypeName[]): Schema => ({
  inputs: ['X: T1', 'I: T2', 'output_shape?: T2'],
  outputs: ['output: T1'],
  types: { T1, T2: ['int64'] },
  attributes: { kernel_shape: required('ints'), pads: optional('ints'), strides: optional('ints') },
})

export const MaxUnpool: Op = {
  name: 'MaxUnpool',
  doc: 'Puts pooled values back to the positions they were taken from, among zeros.',
  versions: { 9: version(floats16), 11: version(floats16), 22: version(floats) },
  limits: 'Indices count in the shape that the attributes give, also where output_shape is larger.',
  infer(c) {
    const shape = c.shape(0)
    const given = c.hasInput(2) ? c.content(2) : shape && unpooledShape(c.attributes, shape)
    return [typed(c.dtype(0), given ?? shape?.map(() => null))]
  },
  evaluate(c) {
    const [x, indices] = [c.tensor(0), c.tensor(1)]
    if (!sameShape(x.shape, indices.shape))
      throw new EspalierError('bad-shape', 'values and indices differ in shape', {
        expected: formatShape(x.shape),
        got: formatShape(indices.shape),
      })
    const inner = unpooledShape(c.attributes, x.shape) as number[]
    const given = c.optionalTensor(2)
    const shape = given === undefined ? inner : listOf(given, 'output_shape')
    const values = placeAt(numbers(indices), numbers(x), outputSize('float64', inner))
    return [fromNumbers(x.dtype, shape, sameShape(shape, inner) ? values : embed(values, inner, shape))]
  },
}

/** The shape that pools to `shape`: (extent - 1) * stride - padding + kernel along each spatial axis. */
function unpooledShape(attributes: Attributes, shape: readonly Dim[]): Dim[] {
  const kernel = attributes.ints('kernel_shape')
  if (shape.length < 3 || kernel.length !== shape.length - 2)
    throw new EspalierError('bad-shape', 'the kernel does not fit the rank of the input', {
      expected: `an input of rank ${kernel.length + 2}`,
      got: formatShape(shape),
    })
  const { strides, padding } = readWindow(attributes, kernel)
  const spatial = shape.slice(2).map((extent, axis) => {
    const added = (padding[axis] as number) + (padding[axis + kernel.length] as number)
    const output = addDims(multiplyDims(subtractDims(extent, 1), strides[axis]!), kernel[axis]! - added)
    if (typeof output !== 'number' || output > 0) return output
    throw new EspalierError('bad-shape', `the padding cuts off the whole output on spatial axis ${axis}`)
  })
  return [...shape.slice(0, 2), ...spatial]
}

/** `size` zeros with `values` at `positions`. */
function placeAt(positions: Float64Array, values: Float64Array, size: number): Float64Array {
  const result = allocate('float64', size)
  positions.forEach((position, i) => {
    if (!(position >= 0 && position < size))
      throw new EspalierError('bad-argument', `index ${position} is outside the unpooled tensor`, {
        expected: `0 to ${size - 1}`,
        hint: 'Indices count in the shape that kernel_shape, strides and pads give.',
      })
    result[position] = values[i]!
  })
  return result
}

/** A tensor of `shape` with `values`, of shape `inner`, in its first corner. */
function embed(values: Float64Array, inner: Shape, shape: Shape): Float64Array {
  if (shape.length !== inner.length || shape.some((extent, axis) => extent < inner[axis]!))
    throw new EspalierError('bad-shape', 'output_shape has no room for the unpooled tensor', {
      expected: `at least ${formatShape(inner)}`,
      got: formatShape(shape),
    })
  const result = allocate('float64', outputSize('float64', shape))
  forEachIndex(inner, [stridesOf(shape)], (i, [to]) => {
    result[to!] = values[i]!
  })
  return result
}
