/** Operators that name axes: with the channels last they do the same on other axes. */
import type { Attribute, Node } from '../../../graph/graph.ts'
import { permuted, toLast } from '../../../ops/support/channels-last.ts'
import { fromNumbers, numbers } from '../../../tensor/elements.ts'
import { int64 } from '../../../tensor/tensor.ts'
import type { Layout, LayoutRule } from '../channels-last.ts'
import { lastAxis, withAxis } from './elementwise.ts'

const reductions = [
  ...[
    'ReduceL1',
    'ReduceL2',
    'ReduceLogSum',
    'ReduceLogSumExp',
    'ReduceMax',
    'ReduceMean',
    'ReduceMin',
    'ReduceProd',
  ],
  ...['ReduceSum', 'ReduceSumSquare'],
]

/** The rank of the data where it has its channels last, otherwise 0. */
function rankOfLast(layout: Layout, node: Node): number {
  const [x] = node.inputs
  return x !== undefined && x !== '' && layout.isLast(x) ? (layout.shape(x)?.length ?? 0) : 0
}

const concat: LayoutRule = (layout, node) => {
  const rank = layout.shape(node.outputs[0]!)?.length
  const axis = node.attributes.get('axis')
  if (rank === undefined || rank < 3 || axis?.type !== 'int') return false
  if (!node.inputs.some(name => layout.isLast(name))) return false
  if (node.inputs.some(name => layout.shape(name)?.length !== rank)) return false
  layout.add({
    ...node,
    inputs: node.inputs.map(name => layout.last(name)),
    outputs: [layout.twinOf(node.outputs[0]!)],
    attributes: new Map(node.attributes).set('axis', { ...axis, value: lastAxis(Number(axis.value), rank) }),
  })
  return true
}

const split: LayoutRule = (layout, node) => rankOfLast(layout, node) > 0 && withAxis(layout, node, 0)

/** Since operator set 13 along one axis; before, over all axes from one on, which may be the last alone. */
const softmax: LayoutRule = (layout, node) =>
  rankOfLast(layout, node) > 0 && layout.opset >= 13 && withAxis(layout, node, -1)

const reduce: LayoutRule = (layout, node) => {
  const rank = rankOfLast(layout, node)
  const axes = axesOf(layout, node, 1)
  if (rank === 0 || axes === undefined || axes.length === 0) return false
  const keeps = integer(node, 'keepdims', 1) !== 0
  const reduced = new Set(axes.map(axis => lastAxis(axis, rank)))
  const rest = toLast(rank).filter((_, k) => !reduced.has(k))
  // Without the reduced axes the others must be in their old order.
  if (!keeps && rest.some((axis, k) => k > 0 && axis < rest[k - 1]!)) return false
  const given = giveAxes(
    layout,
    node,
    1,
    [...reduced].sort((a, b) => a - b),
  )
  const output = node.outputs[0]!
  layout.add({
    ...node,
    ...given(layout.last(node.inputs[0]!)),
    outputs: [keeps ? layout.twinOf(output) : output],
  })
  return true
}

const slice: LayoutRule = (layout, node) => {
  const rank = rankOfLast(layout, node)
  const starts = node.inputs[1] === undefined ? undefined : layout.shape(node.inputs[1])?.[0]
  if (rank === 0 || typeof starts !== 'number' || node.attributes.size > 0) return false
  const stated = node.inputs[3] ?? ''
  const axes =
    stated === '' ? Array.from({ length: starts }, (_, axis) => axis) : constantInts(layout, stated)
  if (axes === undefined) return false
  const inputs = node.inputs.map((name, index) => (index === 0 ? layout.last(name) : layout.plain(name)))
  inputs[3] = layout.addConstant(int64(axes.map(axis => lastAxis(axis, rank))), `${node.outputs[0]}_axes`)
  layout.add({ ...node, inputs, outputs: [layout.twinOf(node.outputs[0]!)] })
  return true
}

const pad: LayoutRule = (layout, node) => {
  const rank = rankOfLast(layout, node)
  if (rank === 0 || (node.inputs[3] ?? '') !== '') return false
  const turn = (pads: readonly number[]): number[] | undefined => {
    if (pads.length !== 2 * rank) return undefined
    return [...permuted(pads.slice(0, rank), toLast(rank)), ...permuted(pads.slice(rank), toLast(rank))]
  }
  const stated = node.attributes.get('pads')
  const list = stated?.type === 'ints' ? stated.value.map(Number) : constantInts(layout, node.inputs[1] ?? '')
  const pads = list && turn(list)
  if (pads === undefined) return false
  const attributes = new Map(node.attributes)
  const inputs = node.inputs.map((name, index) => (index === 0 ? layout.last(name) : layout.plain(name)))
  if (stated !== undefined) attributes.set('pads', { type: 'ints', value: pads })
  else inputs[1] = layout.addConstant(int64(pads), `${node.outputs[0]}_pads`)
  layout.add({ ...node, inputs, attributes, outputs: [layout.twinOf(node.outputs[0]!)] })
  return true
}

const resize: LayoutRule = (layout, node) => {
  const rank = rankOfLast(layout, node)
  if (rank === 0) return false
  const mode = node.attributes.get('coordinate_transformation_mode')
  if (mode?.type === 'string' && mode.value === 'tf_crop_and_resize') return false
  const attributes = new Map(node.attributes)
  const stated = attributes.get('axes')
  if (stated?.type === 'ints')
    attributes.set('axes', { ...stated, value: stated.value.map(axis => lastAxis(Number(axis), rank)) })
  // Of [x, roi, scales, sizes], or [x, scales] before operator set 11: one number for each axis.
  const lists = node.inputs.length === 2 ? [1] : [2, 3]
  const inputs = node.inputs.map((name, index) => {
    if (index === 0) return layout.last(name)
    const value = layout.plain(name)
    const perAxis = lists.includes(index) && stated === undefined && layout.shape(name)?.[0] !== 0
    return value !== '' && perAxis ? turnedList(layout, name, rank) : value
  })
  layout.add({ ...node, inputs, attributes, outputs: [layout.twinOf(node.outputs[0]!)] })
  return true
}

/** A list with one entry for each axis, in the order of the twin. */
export function turnedList(layout: Layout, name: string, rank: number): string {
  const constant = layout.constant(name)
  if (constant !== undefined && constant.shape[0] === rank) {
    const values = permuted(Array.from(numbers(constant)), toLast(rank))
    return layout.addConstant(fromNumbers(constant.dtype, [rank], values), `${name}_last`)
  }
  const order = layout.addConstant(int64(toLast(rank)), `${name}_order`)
  return layout.node('Gather', [layout.plain(name), order], { axis: 0 }, { type: layout.type(name) })
}

export function integer(node: Node, name: string, fallback: number): number {
  const found = node.attributes.get(name)
  return found?.type === 'int' ? Number(found.value) : fallback
}

/** A constant list of integers. */
export function constantInts(layout: Layout, name: string): number[] | undefined {
  const constant = name === '' ? undefined : layout.constant(name)
  return constant && Array.from(numbers(constant))
}

/** Axes that a reduction names: an attribute, or input `index`. */
function axesOf(layout: Layout, node: Node, index: number): number[] | undefined {
  const stated = node.attributes.get('axes')
  if (stated?.type === 'ints') return stated.value.map(Number)
  return constantInts(layout, node.inputs[index] ?? '')
}

/** Inputs and attributes with other axes, given in the way that the node gives its own. */
function giveAxes(
  layout: Layout,
  node: Node,
  index: number,
  axes: readonly number[],
): (x: string) => { readonly inputs: string[]; readonly attributes: ReadonlyMap<string, Attribute> } {
  if (node.attributes.has('axes')) {
    const attributes = new Map(node.attributes).set('axes', { type: 'ints', value: axes })
    return x => ({ inputs: [x], attributes })
  }
  const inputs = node.inputs.map(name => layout.plain(name))
  inputs[index] = layout.addConstant(int64(axes), `${node.outputs[0]}_axes`)
  return x => ({ inputs: [x, ...inputs.slice(1)], attributes: node.attributes })
}

export const axisRules: ReadonlyMap<string, readonly LayoutRule[]> = new Map([
  ...reductions.map(name => [name, [reduce]] as const),
  ['Concat', [concat]],
  ['Split', [split]],
  ['Softmax', [softmax]],
  ['LogSoftmax', [softmax]],
  ['Slice', [slice]],
  ['Pad', [pad]],
  ['Resize', [resize]],
  ['Upsample', [resize]],
])
