/**
 * What dynamic quantisation exports: DynamicQuantizeLinear(x), MatMulInteger, Cast to float32, Mul by the product of both
 * scales. One product that quantises its rows itself.
 */
import { numberOfDtype } from '../../../formats/onnx/tensor-proto.ts'
import type { Node } from '../../../graph/graph.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { bothOrders } from '../terms.ts'

export const dynamicMatMul: NodeRule = {
  name: 'dynamic-mat-mul',
  at: ['Mul'],
  apply(node, c) {
    for (const [left, right] of bothOrders(node.inputs)) {
      const cast = c.only(left, 'Cast')
      if (cast === undefined || c.attributes(cast).int('to') !== numberOfDtype('float32')) continue
      const product = c.only(cast.inputs[0], 'MatMulInteger')
      const quantize = product && c.made(product.inputs[0], 'DynamicQuantizeLinear')
      if (product === undefined || quantize === undefined || product.inputs[0] !== quantize.outputs[0])
        continue
      if (product.inputs[2] !== quantize.outputs[2]) continue
      const scale = weightScale(c, right, quantize)
      const w = c.constant(product.inputs[1])
      if (scale === undefined || w === undefined || w.shape.length !== 2) continue
      const parameters = [scale, product.inputs[3] ?? '']
      if (parameters.some(name => name !== '' && !oneOrEach(c, name, w.shape[1]!))) continue
      const draft = c.draft()
      draft.node(
        'espalier.DynamicQuantizedMatMul',
        [quantize.inputs[0], product.inputs[1], ...parameters],
        {},
        { output: node.outputs[0]!, name: product.name },
      )
      return draft.done()
    }
    return undefined
  },
}

/** The other factor of the scale of `quantize` in `name`. */
function weightScale(c: RuleContext, name: string, quantize: Node): string | undefined {
  const scales = c.made(name, 'Mul')
  if (scales === undefined) return undefined
  const own = quantize.outputs[1]
  const found = bothOrders(scales.inputs).find(([factor]) => factor === own)
  return found?.[1]
}

function oneOrEach(c: RuleContext, name: string, columns: number): boolean {
  const constant = c.constant(name)
  return constant !== undefined && constant.shape.length <= 1 && [1, columns].includes(sizeOf(constant.shape))
}
