/** Products of matrices as rules see them: ONNX's `MatMul` and `espalier.MatMul` in one form. */
import { floatAttribute, type PlainAttribute } from '../../graph/builder.ts'
import { type Node, operatorName } from '../../graph/graph.ts'
import { type ActivationCall, activationAttributes } from './activation.ts'
import type { Draft, RuleContext } from './rule.ts'

/** activation(scale * a * b + bias + residual). */
export interface Product {
  readonly a: string
  readonly b: string
  readonly bias?: string | undefined
  readonly residual?: string | undefined
  readonly transB: boolean
  readonly scale: number
  readonly activation?: ActivationCall | undefined
}

/** The float32 product that a node computes. */
export function productAt(c: RuleContext, node: Node | undefined): Product | undefined {
  if (node === undefined || !c.isFloat32(node.inputs[0], node.inputs[1])) return undefined
  const [a, b, bias, residual] = node.inputs as readonly [string, string, string?, string?]
  if (operatorName(node) === 'MatMul') return { a, b, transB: false, scale: 1 }
  if (operatorName(node) !== 'espalier.MatMul') return undefined
  const attributes = c.attributes(node)
  const activation = attributes.string('activation')
  return {
    a,
    b,
    bias: bias || undefined,
    residual: residual || undefined,
    transB: attributes.int('transB') !== 0,
    scale: attributes.float('alpha_scale'),
    activation:
      activation === 'none'
        ? undefined
        : { activation, alpha: attributes.float('alpha'), beta: attributes.float('beta') },
  }
}

/** The product behind a value that nobody else reads, as long as nothing is applied to it in the end. */
export function plainProduct(c: RuleContext, name: string): Product | undefined {
  const product = productAt(c, c.only(name, 'MatMul', 'espalier.MatMul'))
  return product?.activation === undefined ? product : undefined
}

/** Writes a product that gives the first output of `root`. */
export function productWith(draft: Draft, root: Node, product: Product): void {
  const attributes: Record<string, PlainAttribute> = {
    ...(product.transB && { transB: 1 }),
    ...(product.scale !== 1 && { alpha_scale: floatAttribute(product.scale) }),
    ...(product.activation && activationAttributes(product.activation)),
  }
  const { a, b, bias, residual } = product
  draft.node('espalier.MatMul', [a, b, bias, residual], attributes, {
    output: root.outputs[0]!,
    name: root.name,
  })
}
