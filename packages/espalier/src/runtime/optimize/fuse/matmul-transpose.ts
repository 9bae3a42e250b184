/** A second matrix that is transposed before a product is read the other way round. */
import { permutationOf } from '../normalize/transpose-transpose.ts'
import { productAt, productWith } from '../product.ts'
import type { NodeRule } from '../rule.ts'

export const matmulTranspose: NodeRule = {
  name: 'matmul-transpose',
  at: ['MatMul', 'espalier.MatMul'],
  apply(node, c) {
    const product = productAt(c, node)
    const transpose = product && c.made(product.b, 'Transpose')
    const perm = transpose && permutationOf(c, transpose)
    if (perm === undefined || perm.length < 2) return undefined
    const last = perm.length - 1
    const swapsLast = perm.every((from, axis) => from === (axis < last - 1 ? axis : 2 * last - 1 - axis))
    if (!swapsLast) return undefined
    const draft = c.draft()
    productWith(draft, node, { ...product!, b: transpose!.inputs[0]!, transB: !product!.transB })
    return draft.done()
  },
}
