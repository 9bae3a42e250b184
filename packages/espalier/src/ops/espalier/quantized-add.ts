/** The sum of two quantised tensors of one shape, with relu or nothing behind it, as a quantised tensor. Float32 between. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { string } from '../schema.ts'
import { espalierDomain } from '../support/channels-last.ts'
import { broadcastDims, typed } from '../support/infer.ts'
import { quantizeNumbers } from '../support/quantization.ts'
import { quantizedTypes } from '../support/quantized-sums.ts'
import { single } from '../support/scalars.ts'

export const QuantizedAdd: Op = {
  name: 'QuantizedAdd',
  domain: espalierDomain,
  doc: 'Quantises activation(dequantised a + dequantised b); a and b have one shape.',
  versions: {
    1: {
      inputs: [
        'a: T1',
        'a_scale: float32',
        'a_zero_point: T1',
        'b: T2',
        'b_scale: float32',
        'b_zero_point: T2',
        'y_scale: float32',
        'y_zero_point: T3',
      ],
      outputs: ['y: T3'],
      types: quantizedTypes,
      attributes: { activation: string('none', ['none', 'relu']) },
    },
  },
  infer: c => [typed(c.dtype(7), broadcastDims(c.shape(0), c.shape(3)))],
  evaluate(c) {
    const [a, b] = [dequantized(c, 0), dequantized(c, 3)]
    const relu = c.attributes.string('activation') === 'relu'
    const [scale, zero] = [single(c.tensor(6), 'y_scale'), single(c.tensor(7), 'y_zero_point')]
    const scaled = a.map((value, i) => {
      const sum = Math.fround(value + b[i]!)
      return Math.fround((relu ? Math.max(sum, 0) : sum) / scale)
    })
    return [quantizeNumbers(c.tensor(7).dtype, c.tensor(0).shape, scaled, () => zero)]
  },
  lower(c) {
    const signed = [0, 3, 7].map(index => (c.type(index).dtype === 'int8' ? 1 : 0))
    c.emit('add_i8', {
      a: c.input(0),
      aScale: c.input(1),
      aZero: c.input(2),
      b: c.input(3),
      bScale: c.input(4),
      bZero: c.input(5),
      yScale: c.input(6),
      yZero: c.input(7),
      y: c.output(0),
      isSigned: signed,
      activation: c.attributes.string('activation') === 'relu' ? 1 : 0,
      count: sizeOf(c.outputType(0).shape),
    })
    return undefined
  },
}

function dequantized(c: EvaluateContext, at: number): Float64Array {
  const source: Tensor = c.tensor(at)
  const [scale, zero] = [single(c.tensor(at + 1), 'scale'), single(c.tensor(at + 2), 'zero point')]
  return numbers(
    fromNumbers(
      'float32',
      source.shape,
      numbers(source).map(value => (value - zero) * scale),
    ),
  )
}
