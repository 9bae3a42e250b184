/** Quantised values as files spell them: what a DequantizeLinear reads, and parameters that a QuantizeLinear has. */
import type { Node } from '../../../graph/graph.ts'
import { fromNumbers, numbers } from '../../../tensor/elements.ts'
import { sameShape, sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Draft, RuleContext } from '../rule.ts'

/** An 8-bit value with its scale and zero point, by the names of the values. */
export interface Quantized {
  readonly value: string
  readonly scale: string
  /** `''` where it is left out, which means 0. */
  readonly zero: string
  readonly dtype: 'int8' | 'uint8'
}

/** The 8-bit value that `name` is made of by a DequantizeLinear of one constant scale. */
export function dequantized(c: RuleContext, name: string | undefined): Quantized | undefined {
  const node = c.made(name, 'DequantizeLinear')
  return node && parametersOf(c, node, c.dtype(node.inputs[0]))
}

/** What a QuantizeLinear of one constant scale makes. */
export function quantized(c: RuleContext, node: Node): Quantized | undefined {
  return parametersOf(c, node, c.dtype(node.outputs[0]))
}

function parametersOf(c: RuleContext, node: Node, dtype: string | undefined): Quantized | undefined {
  const [value, scale, zero = ''] = node.inputs as [string, string, string?]
  if (dtype !== 'int8' && dtype !== 'uint8') return undefined
  if (c.dtype(scale) !== 'float32' || c.scalar(scale) === undefined) return undefined
  if (zero !== '' && c.scalar(zero) === undefined) return undefined
  return { value, scale, zero, dtype }
}

/** 8-bit constant weights with a constant scale for all, or for each place on `axis`. */
export interface QuantizedWeight extends Quantized {
  readonly tensor: Tensor
  readonly scales: readonly number[]
}

/** The weight behind a DequantizeLinear; `undefined` where it is not constant or its scales go another way. */
export function dequantizedWeight(
  c: RuleContext,
  name: string | undefined,
  axis: number,
): QuantizedWeight | undefined {
  const node = c.made(name, 'DequantizeLinear')
  if (node === undefined) return undefined
  const [value, scale, zero = ''] = node.inputs as [string, string, string?]
  const [tensor, scales] = [c.constant(value), c.constant(scale)]
  if (tensor === undefined || scales === undefined || scales.dtype !== 'float32') return undefined
  if (tensor.dtype !== 'int8' && tensor.dtype !== 'uint8') return undefined
  if (zero !== '' && c.constant(zero) === undefined) return undefined
  const rank = tensor.shape.length
  const own = c.attributes(node).optionalInt('axis') ?? 1
  const along =
    (own + rank) % rank === axis && scales.shape.length === 1 && scales.shape[0] === tensor.shape[axis]
  if (sizeOf(scales.shape) !== 1 && !along) return undefined
  return { value, scale, zero, dtype: tensor.dtype, tensor, scales: [...numbers(scales)] }
}

/** Zero points as an operator that wants them takes them: as they are, or zeros of the form of the scale. */
export function zeroPoint(c: RuleContext, draft: Draft, { scale, zero, dtype }: Quantized): string {
  if (zero !== '') return zero
  const shape = c.constant(scale)!.shape
  return draft.constant(fromNumbers(dtype, shape, new Array<number>(sizeOf(shape)).fill(0)), `${scale}_zero`)
}

/** Whether two quantised values mean the same numbers by the same bytes. */
export function sameScale(c: RuleContext, a: Quantized, b: Quantized): boolean {
  const zero = ({ zero }: Quantized): number => (zero === '' ? 0 : c.scalar(zero)!)
  return a.dtype === b.dtype && c.scalar(a.scale) === c.scalar(b.scale) && zero(a) === zero(b)
}

/** Relative difference up to which the scale of a bias is that of the sums: exporters multiply in other orders. */
const SCALE_TOLERANCE = 1e-4

/**
 * A bias in units of the sums, whose scale is `xScale` times that of the weight, `''` where there is none: the integers
 * behind a DequantizeLinear, or float32 constants rounded to such units (by at most half of one, far below a step of the
 * result). `undefined` where it is neither.
 */
export function biasInSums(
  c: RuleContext,
  draft: Draft,
  bias: string,
  xScale: number,
  wScales: readonly number[],
  columns: number,
): string | undefined {
  if (bias === '') return ''
  const units = (column: number): number => Math.fround(xScale * wScales[column % wScales.length]!)
  const node = c.made(bias, 'DequantizeLinear')
  if (node !== undefined) {
    const [value, scale, zero = ''] = node.inputs as [string, string, string?]
    const [integers, scales] = [c.constant(value), c.constant(scale)]
    if (integers?.dtype !== 'int32' || scales === undefined || !sameShape(integers.shape, [columns]))
      return undefined
    if (zero !== '' && numbersOf(c.constant(zero)).some(own => own !== 0)) return undefined
    const own = numbers(scales)
    for (let column = 0; column < columns; column++) {
      const wanted = units(column)
      if (Math.abs(own[column % own.length]! - wanted) > SCALE_TOLERANCE * wanted) return undefined
    }
    return value
  }
  const constant = c.constant(bias)
  if (constant === undefined || constant.dtype !== 'float32' || sizeOf(constant.shape) !== columns)
    return undefined
  const rounded = [...numbers(constant)].map((value, column) => Math.round(value / units(column)))
  if (rounded.some(value => !(Math.abs(value) < 2 ** 31))) return undefined
  return draft.constant(fromNumbers('int32', [columns], rounded), `${bias}_i32`)
}

function numbersOf(constant: Tensor | undefined): number[] {
  return constant === undefined ? [Number.NaN] : [...numbers(constant)]
}
