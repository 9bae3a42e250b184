/** QuantizeLinear of an activation of a matrix product of dequantised values: one product on integers. */
import { type Tensor, tensorBytes, tensorFromBytes } from '../../../tensor/tensor.ts'
import { activationAttributes } from '../activation.ts'
import type { NodeRule } from '../rule.ts'
import { activatedBefore } from './activated.ts'
import { biasInSums, dequantized, dequantizedWeight, quantized, zeroPoint } from './quantized-value.ts'

export const quantizedMatMul: NodeRule = {
  name: 'quantized-mat-mul',
  at: ['QuantizeLinear'],
  apply(node, c) {
    const y = quantized(c, node)
    const { value, activation } = activatedBefore(c, node.inputs[0]!)
    const product = c.only(value, 'MatMul', 'espalier.MatMul')
    if (y === undefined || product === undefined) return undefined
    const own = product.op === 'MatMul' && product.domain === 'espalier' ? c.attributes(product) : undefined
    const transposed = own !== undefined && own.int('transB') !== 0
    if ((own !== undefined && own.float('alpha_scale') !== 1) || (product.inputs[3] ?? '') !== '')
      return undefined
    // An activation that the product has already, and one behind it, would be two.
    const inside = own?.string('activation') ?? 'none'
    if (inside !== 'none' && activation !== undefined) return undefined
    const x = dequantized(c, product.inputs[0])
    if (x === undefined) return undefined
    const draft = c.draft()
    const w = dequantizedWeight(c, product.inputs[1], transposed ? 0 : 1)
    const act =
      inside === 'none' || own === undefined
        ? activation
        : { activation: inside, alpha: own.float('alpha'), beta: own.float('beta') }
    const finish = (weight: string, wScale: string, wZero: string, bias: string) => {
      draft.node(
        'espalier.QuantizedMatMul',
        [
          x.value,
          x.scale,
          zeroPoint(c, draft, x),
          weight,
          wScale,
          wZero,
          y.scale,
          zeroPoint(c, draft, y),
          bias,
        ],
        act ? activationAttributes(act) : {},
        { output: node.outputs[0]!, name: product.name },
      )
      return draft.done()
    }
    if (w === undefined) {
      // Two products of activations, as attention has them.
      const other = dequantized(c, product.inputs[1])
      if (other === undefined || transposed || (product.inputs[2] ?? '') !== '') return undefined
      return finish(other.value, other.scale, zeroPoint(c, draft, other), '')
    }
    if (w.tensor.shape.length !== 2) return undefined
    const columns = w.tensor.shape[transposed ? 0 : 1]!
    const bias = biasInSums(c, draft, product.inputs[2] ?? '', c.scalar(x.scale)!, w.scales, columns)
    if (bias === undefined) return undefined
    const weight = transposed ? draft.constant(turned(w.tensor), w.value) : w.value
    return finish(weight, w.scale, zeroPoint(c, draft, w), bias)
  },
}

/** A matrix of bytes with its axes exchanged, which is done when it is packed. */
function turned(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape as [number, number]
  return tensorFromBytes(matrix.dtype, [columns, rows], {
    byteLength: rows * columns,
    derived: { of: matrix, perm: [1, 0] },
    fill(target: Uint8Array) {
      const bytes = tensorBytes(matrix)
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) target[j * rows + i] = bytes[i * columns + j]!
    },
  })
}
