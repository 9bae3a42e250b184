/** Element-wise functions as products and convolutions apply them at their end: names, parameters, and the nodes that do. */
import type { PlainAttribute } from '../../graph/builder.ts'
import { floatAttribute } from '../../graph/builder.ts'
import { type Node, operatorName } from '../../graph/graph.ts'
import type { Attributes } from '../../ops/op.ts'
import type { Exchange, RuleContext } from './rule.ts'
import { sameRank } from './terms.ts'

/** A function of the shared list (ops/support/activation.ts) with its parameters. */
export interface ActivationCall {
  readonly activation: string
  readonly alpha: number
  readonly beta: number
}

/** Operators that are one of these functions. */
export const activationOperators: readonly string[] = [
  'Relu',
  'Clip',
  'LeakyRelu',
  'Sigmoid',
  'Tanh',
  'HardSigmoid',
  'HardSwish',
  'Gelu',
  'Elu',
  'Swish',
  'espalier.Activation',
]

/** The function that a node applies to its first input; `undefined` for another operator, or bounds that are not constant. */
export function activationOf(c: RuleContext, node: Node): ActivationCall | undefined {
  const attributes = (): Attributes => c.attributes(node)
  const call = (activation: string, alpha = 0, beta = 0): ActivationCall => ({ activation, alpha, beta })
  switch (operatorName(node)) {
    case 'Relu':
      return call('relu')
    case 'Clip':
      return clipOf(c, node)
    case 'LeakyRelu':
      return call('leaky_relu', attributes().float('alpha'))
    case 'Sigmoid':
      return call('sigmoid')
    case 'Tanh':
      return call('tanh')
    case 'HardSigmoid':
      return call('hard_sigmoid', attributes().float('alpha'), attributes().float('beta'))
    case 'HardSwish':
      return call('hard_swish')
    case 'Gelu':
      return call(attributes().string('approximate') === 'tanh' ? 'gelu_tanh' : 'gelu')
    case 'Elu':
      return call('elu', attributes().float('alpha'))
    case 'Swish':
      return call('silu', attributes().float('alpha'))
    case 'espalier.Activation':
      return call(attributes().string('activation'), attributes().float('alpha'), attributes().float('beta'))
    default:
      return undefined
  }
}

/** Bounds of a Clip that are numbers; one that is missing is infinite. */
function clipOf(c: RuleContext, node: Node): ActivationCall | undefined {
  const bound = (index: number, name: string, missing: number): number | undefined => {
    const input = node.inputs[index] ?? ''
    if (input !== '') return c.scalar(input)
    return c.opset < 11 ? c.attributes(node).float(name) : missing
  }
  const [low, high] = [bound(1, 'min', Number.NEGATIVE_INFINITY), bound(2, 'max', Number.POSITIVE_INFINITY)]
  return low === undefined || high === undefined || low > high
    ? undefined
    : { activation: 'clip', alpha: low, beta: high }
}

/** The attributes that say it. */
export function activationAttributes({
  activation,
  alpha,
  beta,
}: ActivationCall): Record<string, PlainAttribute> {
  return { activation, alpha: floatAttribute(alpha), beta: floatAttribute(beta) }
}

/**
 * An activation of `x` in the place of `node`; `undefined` where `x` is not known to be float32, or to be of the rank of
 * what `node` gives (constants of one element can add axes).
 */
export function activate(c: RuleContext, node: Node, x: string, call: ActivationCall): Exchange | undefined {
  if (!c.isFloat32(x) || !sameRank(c, x, node.outputs[0]!)) return undefined
  const draft = c.draft()
  draft.node('espalier.Activation', [x], activationAttributes(call), {
    output: node.outputs[0]!,
    name: node.name,
  })
  return draft.done()
}
