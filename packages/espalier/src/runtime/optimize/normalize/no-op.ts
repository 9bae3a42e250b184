/** Nodes that give what they take: identities, casts to the same type, moves of nothing, products with one. */
import type { Node } from '../../../graph/graph.ts'
import { numbers } from '../../../tensor/elements.ts'
import type { NodeRule, RuleContext } from '../rule.ts'
import { sameDims } from '../terms.ts'
import { constantPad } from './padding.ts'

export const noOp: NodeRule = {
  name: 'no-op',
  at: [
    ...[
      'Identity',
      'Dropout',
      'Cast',
      'Transpose',
      'Reshape',
      'Flatten',
      'Squeeze',
      'Unsqueeze',
      'Expand',
      'Pad',
    ],
    ...['Mul', 'Div', 'Add', 'Sub', 'Concat', 'Sum', 'Max', 'Min', 'Mean'],
  ],
  apply(node, c) {
    const kept = keptInput(c, node)
    if (kept === undefined || kept === '') return undefined
    // A value between others may be named anew only where it is all that the node gives.
    return node.outputs.slice(1).some(name => name !== '') ? undefined : { same: kept }
  },
}

/** The input that a node gives unchanged. */
function keptInput(c: RuleContext, node: Node): string | undefined {
  const [x = '', y] = node.inputs
  const keepsShape = (): boolean => sameDims(c.shape(x), c.shape(node.outputs[0]))
  switch (node.op) {
    case 'Identity':
      return x
    case 'Dropout':
      return isInference(c, node) ? x : undefined
    case 'Cast':
      return c.dtype(x) !== undefined && c.dtype(x) === c.dtype(node.outputs[0]) ? x : undefined
    case 'Transpose':
      return c
        .attributes(node)
        .optionalInts('perm')
        ?.every((axis, i) => axis === i)
        ? x
        : undefined
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Expand':
      return keepsShape() ? x : undefined
    case 'Pad': {
      const pad = constantPad(c, node)
      return pad !== undefined && [...pad.before, ...pad.after].every(extent => extent === 0) ? x : undefined
    }
    case 'Concat':
    case 'Sum':
    case 'Max':
    case 'Min':
    case 'Mean':
      return node.inputs.length === 1 ? x : undefined
    case 'Mul':
      return keepsShape() && isAll(c, y, 1) ? x : isAll(c, x, 1) && sameAs(c, y, node) ? y : undefined
    case 'Div':
      return keepsShape() && isAll(c, y, 1) ? x : undefined
    case 'Add':
      return keepsShape() && isAll(c, y, 0) ? x : isAll(c, x, 0) && sameAs(c, y, node) ? y : undefined
    default:
      return keepsShape() && isAll(c, y, 0) ? x : undefined // Sub
  }
}

function sameAs(c: RuleContext, name: string | undefined, node: Node): boolean {
  return sameDims(c.shape(name), c.shape(node.outputs[0]))
}

/** Whether all numbers of a constant are `wanted`; false for integers beyond what a number holds. */
function isAll(c: RuleContext, name: string | undefined, wanted: number): boolean {
  const value = c.constant(name)
  if (value === undefined || value.dtype === 'string' || value.data.length === 0) return false
  return numbers(value).every(number => number === wanted)
}

/** Whether a dropout keeps everything: always before operator set 12, later unless it is told to train. */
function isInference(c: RuleContext, node: Node): boolean {
  const training = node.inputs[2] ?? ''
  if (training === '') return (c.attributes(node).optionalInt('is_test') ?? 1) !== 0 || c.opset >= 7
  return c.scalar(training) === 0
}
