/** Between float32 and 8 bits as steps: quantize, dequantize, dynamic_quantize. */
import { normalizeAxis, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import { floats } from '../schema.ts'
import { rangeBytes } from './lower-quantized.ts'
import { readDtype } from './precision.ts'

const bytes: readonly string[] = ['uint8', 'int8']

/** Lowers QuantizeLinear of float32 to 8 bits. */
export function lowerQuantize(c: LowerContext): string | undefined {
  const [x, scale, y] = [c.type(0), c.type(1), c.outputType(0)]
  if (x.dtype !== 'float32' || scale.dtype !== 'float32' || !bytes.includes(y.dtype))
    return `there is no kernel for ${x.dtype} to ${y.dtype} by ${scale.dtype}`
  if ((readDtype(c.attributes, 'precision', floats) ?? 'float32') !== 'float32')
    return 'there is no kernel for divisions of another precision'
  const lines = linesOf(c, x.shape, scale.shape)
  if (lines === undefined) return 'there is no kernel for scales by block'
  const isSigned = y.dtype === 'int8' ? 1 : 0
  c.emit('quantize', {
    x: c.input(0),
    scale: c.input(1),
    zero: c.optionalInput(2),
    y: c.output(0),
    isSigned,
    ...lines,
  })
  return undefined
}

/** Lowers DequantizeLinear of 8 and 32 bits to float32. */
export function lowerDequantize(c: LowerContext): string | undefined {
  const [x, scale, y] = [c.type(0), c.type(1), c.outputType(0)]
  const type = [...bytes, 'int32'].indexOf(x.dtype)
  if (type < 0 || scale.dtype !== 'float32' || y.dtype !== 'float32')
    return `there is no kernel for ${x.dtype} to ${y.dtype} by ${scale.dtype}`
  const lines = linesOf(c, x.shape, scale.shape)
  if (lines === undefined) return 'there is no kernel for scales by block'
  c.emit('dequantize', {
    x: c.input(0),
    scale: c.input(1),
    zero: c.optionalInput(2),
    y: c.output(0),
    type,
    ...lines,
  })
  return undefined
}

/** Lowers DynamicQuantizeLinear. */
export function lowerDynamicQuantize(c: LowerContext): string | undefined {
  const columns = sizeOf(c.type(0).shape)
  c.emit('dynamic_quantize', {
    x: c.input(0),
    y: c.output(0),
    scale: c.hasOutput(1) ? c.output(1) : c.scratch(4),
    zero: c.hasOutput(2) ? c.output(2) : c.scratch(1),
    scratch: c.scratch(rangeBytes(columns)),
    rows: 1,
    columns,
    stride: 0,
  })
  return undefined
}

/** The tensor as [outer, channels, inner] with one scale for each channel; `undefined` where scales go by block. */
function linesOf(
  c: LowerContext,
  shape: Shape,
  scale: Shape,
): { readonly outer: number; readonly channels: number; readonly inner: number } | undefined {
  if (sizeOf(scale) === 1) return { outer: 1, channels: 1, inner: sizeOf(shape) }
  if ((c.attributes.optionalInt('block_size') ?? 0) !== 0) return undefined
  const axis = normalizeAxis(c.attributes.optionalInt('axis') ?? 1, shape.length)
  if (scale.length !== 1 || scale[0] !== shape[axis]) return undefined
  return { outer: sizeOf(shape.slice(0, axis)), channels: shape[axis]!, inner: sizeOf(shape.slice(axis + 1)) }
}
