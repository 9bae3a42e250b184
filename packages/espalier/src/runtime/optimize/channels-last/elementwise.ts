/** Operators that work element by element: they take the order that their inputs have. */
import type { Node } from '../../../graph/graph.ts'
import { reshape } from '../../../tensor/tensor.ts'
import type { Layout, LayoutRule } from '../channels-last.ts'

/** Their first input is the data; what else they take is not laid out along it. */
const unary = [
  ...[
    'Abs',
    'Acos',
    'Acosh',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'BitwiseNot',
    'Cast',
    'Ceil',
    'Celu',
    'Clip',
    'Cos',
  ],
  ...[
    'Cosh',
    'Elu',
    'Erf',
    'Exp',
    'Floor',
    'Gelu',
    'HardSigmoid',
    'HardSwish',
    'Identity',
    'IsInf',
    'IsNaN',
    'LeakyRelu',
  ],
  ...[
    'Log',
    'Mish',
    'Neg',
    'Not',
    'Reciprocal',
    'Relu',
    'Round',
    'Selu',
    'Shrink',
    'Sigmoid',
    'Sign',
    'Sin',
    'Sinh',
  ],
  ...[
    'Softplus',
    'Softsign',
    'Sqrt',
    'Swish',
    'Tan',
    'Tanh',
    'ThresholdedRelu',
    'espalier.Activation',
    'espalier.Lookup',
  ],
]
/** Their inputs broadcast to the shape of the output. */
const broadcasting = [
  ...[
    'Add',
    'And',
    'BitwiseAnd',
    'BitwiseOr',
    'BitwiseXor',
    'Div',
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'Less',
  ],
  ...['LessOrEqual', 'Max', 'Mean', 'Min', 'Mod', 'Mul', 'Or', 'PRelu', 'Pow', 'Sub', 'Sum', 'Where', 'Xor'],
  'espalier.QuantizedAdd',
]

const unaryRule: LayoutRule = (layout, node) => {
  const [x, ...others] = node.inputs as [string, ...string[]]
  if (!layout.isLast(x) || node.outputs.length !== 1) return false
  const inputs = [layout.last(x), ...others.map(name => layout.plain(name))]
  layout.add({ ...node, inputs, outputs: [layout.twinOf(node.outputs[0]!)] })
  return true
}

const broadcastRule: LayoutRule = (layout, node) => {
  const rank = layout.shape(node.outputs[0]!)?.length
  if (rank === undefined || rank < 3 || node.outputs.length !== 1) return false
  const asLast = node.inputs.map(name => operandOf(layout, name, rank))
  if (!node.inputs.some((name, index) => asLast[index] !== undefined && layout.isLast(name))) return false
  if (asLast.some(operand => operand === undefined)) return false
  layout.add({ ...node, inputs: asLast.map(make => make!()), outputs: [layout.twinOf(node.outputs[0]!)] })
  return true
}

/** How an input that broadcasts to `rank` axes is given with its channels last; `undefined` when it is not known how. */
function operandOf(layout: Layout, name: string, rank: number): (() => string) | undefined {
  if (name === '') return () => ''
  const shape = layout.shape(name)
  if (shape === undefined) return undefined
  if (shape.length === rank) return () => layout.last(name)
  if (shape.every(extent => extent === 1)) return () => layout.plain(name)
  const constant = layout.constant(name)
  if (constant === undefined || constant.shape.length > rank) return undefined
  return () => {
    const lifted = reshape(constant, [
      ...new Array<number>(rank - constant.shape.length).fill(1),
      ...constant.shape,
    ])
    return layout.last(layout.addConstant(lifted, name))
  }
}

/** Quantisation with one scale, or one for each place of an axis. */
const quantizing: LayoutRule = (layout, node) => {
  const [x, scale] = node.inputs as [string, string]
  const shape = layout.shape(scale)
  if (!layout.isLast(x) || shape === undefined) return false
  if (shape.every(extent => extent === 1)) return unaryRule(layout, node)
  if (shape.length !== 1) return false
  return withAxis(layout, node, 1)
}

/** A node of one data input whose attribute `axis` counts axes of it. */
export function withAxis(layout: Layout, node: Node, fallback: number): boolean {
  const rank = layout.shape(node.inputs[0]!)?.length
  const stated = node.attributes.get('axis')
  const axis = stated?.type === 'int' ? Number(stated.value) : fallback
  if (rank === undefined || axis < -rank || axis >= rank) return false
  const [x, ...others] = node.inputs as [string, ...string[]]
  const attributes = new Map(node.attributes).set('axis', { type: 'int', value: lastAxis(axis, rank) })
  const inputs = [layout.last(x), ...others.map(name => layout.plain(name))]
  const outputs = node.outputs.map(output => (output === '' ? '' : layout.twinOf(output)))
  layout.add({ ...node, inputs, outputs, attributes })
  return true
}

/** Where an axis of [N, C, ...spatial] is in [N, ...spatial, C]. */
export function lastAxis(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis
  return at === 0 ? 0 : at === 1 ? rank - 1 : at - 1
}

export const elementwiseRules: ReadonlyMap<string, readonly LayoutRule[]> = new Map([
  ...unary.map(name => [name, [unaryRule]] as const),
  ...broadcasting.map(name => [name, [broadcastRule]] as const),
  ['QuantizeLinear', [quantizing]],
  ['DequantizeLinear', [quantizing]],
])
