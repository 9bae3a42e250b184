/** Gemm as the product with bias that everything here works on; a transposed first matrix is transposed before. */
import { floatAttribute } from '../../../graph/builder.ts'
import { type Dim, tensorType } from '../../../graph/graph.ts'
import { fromNumbers, numbers } from '../../../tensor/elements.ts'
import type { Draft, NodeRule, RuleContext } from '../rule.ts'

export const gemm: NodeRule = {
  name: 'gemm',
  at: ['Gemm'],
  apply(node, c) {
    const [a, b, bias] = node.inputs as readonly [string, string, string?]
    if (!c.isFloat32(a, b)) return undefined
    const attributes = c.attributes(node)
    const draft = c.draft()
    const scaled = scaledBias(c, draft, bias ?? '', attributes.float('beta'))
    if (scaled === undefined) return undefined
    const shape = c.shape(a)?.toReversed() as readonly Dim[] | undefined
    const left =
      attributes.int('transA') !== 0
        ? draft.node('Transpose', [a], { perm: [1, 0] }, { type: tensorType('float32', shape) })
        : a
    draft.node(
      'espalier.MatMul',
      [left, b, scaled],
      {
        ...(attributes.int('transB') !== 0 && { transB: 1 }),
        ...(attributes.float('alpha') !== 1 && { alpha_scale: floatAttribute(attributes.float('alpha')) }),
      },
      { output: node.outputs[0]!, name: node.name },
    )
    return draft.done()
  },
}

/** `beta` times the bias; `''` for none, `undefined` where it is not constant and would have to be multiplied. */
function scaledBias(c: RuleContext, draft: Draft, bias: string, beta: number): string | undefined {
  if (bias === '' || beta === 0) return ''
  if (!c.isFloat32(bias)) return undefined
  if (beta === 1) return bias
  const constant = c.constant(bias)
  if (constant === undefined) return undefined
  return draft.constant(
    fromNumbers(
      'float32',
      constant.shape,
      numbers(constant).map(value => beta * value),
    ),
    bias,
  )
}
