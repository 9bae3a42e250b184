/**
 * Rows flattened for a product and unflattened behind it: reshape(reshape(x, [-1, k]) * w, [..., n]) is x * w. GPT-2 and
 * everything that goes through Gemm writes it; without the reshapes, a residual can join the product.
 */
import { productAt, productWith } from '../product.ts'
import type { NodeRule } from '../rule.ts'
import { sameDims } from '../terms.ts'

export const reshapeMatmul: NodeRule = {
  name: 'reshape-matmul',
  at: ['Reshape'],
  apply(node, c) {
    const product = productAt(c, c.only(node.inputs[0], 'MatMul', 'espalier.MatMul'))
    const flat = product && c.made(product.a, 'Reshape', 'Flatten')
    const x = flat?.inputs[0]
    if (x === undefined || product!.residual !== undefined) return undefined
    const [given, made, bias] = [c.shape(x), c.shape(node.outputs[0]), c.shape(product!.bias)]
    if (c.shape(product!.b)?.length !== 2 || (product!.bias !== undefined && bias?.length !== 1))
      return undefined
    const [before, after] = [c.shape(product!.a), c.shape(node.inputs[0])]
    if (given === undefined || made === undefined || before?.length !== 2 || after?.length !== 2)
      return undefined
    if (!sameDims(given.slice(0, -1), made.slice(0, -1))) return undefined
    if (!sameDims(given.slice(-1), before.slice(-1)) || !sameDims(made.slice(-1), after.slice(-1)))
      return undefined
    const draft = c.draft()
    productWith(draft, node, { ...product!, a: x })
    return draft.done()
  },
}
