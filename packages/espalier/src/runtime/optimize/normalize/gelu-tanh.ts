/** x/2 * (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), also with x factored out: GELU as GPT-2 approximates it. */
import type { Node } from '../../../graph/graph.ts'
import { activate } from '../activation.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { bothOrders, near, offsetOf, type Product, productBehind, productOf, squareOf } from '../terms.ts'

const OUTER = Math.sqrt(2 / Math.PI)
const INNER = 0.044715

export const geluTanh: NodeRule = {
  name: 'gelu-tanh',
  at: ['Mul', 'Div'],
  apply(node, c) {
    const product = productOf(c, node)
    for (const [x, factor] of bothOrders(product?.factors ?? [])) {
      const sum = offsetOf(c, c.only(factor, 'Add'))
      const tanh = sum && c.only(sum.value, 'Tanh')
      if (tanh === undefined || !near(product!.coefficient, 0.5) || !near(sum!.offset, 1)) continue
      if (isArgument(c, productBehind(c, tanh.inputs[0]!), x))
        return activate(c, node, x, { activation: 'gelu_tanh', alpha: 0, beta: 0 })
    }
    return undefined
  },
}

/** Whether a product is sqrt(2/pi) (x + 0.044715 x^3). */
function isArgument(c: RuleContext, { coefficient, factors }: Product, x: string): boolean {
  if (!near(coefficient, OUTER)) return false
  if (factors.length === 1) {
    const sum = c.only(factors[0], 'Add')
    const orders = sum === undefined ? [] : bothOrders(sum.inputs)
    return orders.some(([one, cube]) => one === x && isPower(c, productBehind(c, cube), x, 3))
  }
  return bothOrders(factors).some(([one, other]) => {
    const sum = offsetOf(c, c.only(other, 'Add'))
    return (
      one === x && sum !== undefined && near(sum.offset, 1) && isPower(c, productBehind(c, sum.value), x, 2)
    )
  })
}

/** Whether a product is 0.044715 x^power. */
function isPower(c: RuleContext, { coefficient, factors }: Product, x: string, power: number): boolean {
  const exponents = factors.map(factor => exponentOf(c, factor, c.only(factor, 'Pow', 'Mul'), x))
  return near(coefficient, INNER) && exponents.reduce((sum, exponent) => sum + exponent, 0) === power
}

/** n where a factor is x^n, otherwise NaN. */
function exponentOf(c: RuleContext, factor: string, node: Node | undefined, x: string): number {
  if (factor === x) return 1
  if (squareOf(c, node) === x) return 2
  return node?.op === 'Pow' && node.inputs[0] === x ? (c.scalar(node.inputs[1]) ?? Number.NaN) : Number.NaN
}
