/** Operators that move elements: transposes that the graph has itself, reshapes, shapes, depth to space. */
import { sameDim } from '../../../graph/dim.ts'
import type { Dim, Node } from '../../../graph/graph.ts'
import { permuted, toFirst, toLast } from '../../../ops/support/channels-last.ts'
import { int64 } from '../../../tensor/tensor.ts'
import type { Layout, LayoutRule } from '../channels-last.ts'
import { integer } from './axes.ts'

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

const transpose: LayoutRule = (layout, node) => {
  const [[x], [output]] = [node.inputs, node.outputs] as [[string], [string]]
  const stated = node.attributes.get('perm')
  const rank = layout.shape(x)?.length
  if (rank === undefined || rank < 3) return false
  const perm =
    stated?.type === 'ints'
      ? stated.value.map(Number)
      : Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  if (equal(perm, toLast(rank)) && (layout.isLast(x) || !equal(perm, toFirst(rank)))) {
    layout.alias(output, layout.last(x))
    return true
  }
  if (layout.isLast(x)) {
    // Axis perm[k] of the value is this axis of its twin.
    const turned = perm.map(axis => toLast(rank).indexOf(axis))
    layout.add({
      ...node,
      inputs: [layout.last(x)],
      attributes: new Map(node.attributes).set('perm', { type: 'ints', value: turned }),
    })
    return true
  }
  if (!equal(perm, toFirst(rank))) return false
  layout.setTwin(output, layout.plain(x))
  layout.defer(node)
  return true
}

/** Spatial axes that are merged or split, with batch and channels as they are. */
const reshape: LayoutRule = (layout, node) => {
  const [[x], [output]] = [node.inputs, node.outputs] as [[string], [string]]
  if (!layout.isLast(x)) return false
  const [from, to] = [layout.shape(x), layout.shape(output)]
  if (from === undefined || to === undefined || to.length < 3) return false
  if (!sameDim(from[0]!, to[0]!) || !sameDim(from[1]!, to[1]!)) return false
  return reshapeTo(layout, layout.last(x), layout.twinOf, permuted(to, toLast(to.length)), output)
}

/** Emits a Reshape where `shape` can be written down: one extent besides the first may be unknown. */
function reshapeTo(
  layout: Layout,
  value: string,
  name: (output: string) => string,
  shape: readonly Dim[],
  output: string,
): boolean {
  const target = targetOf(shape)
  if (target === undefined) return false
  const list = layout.addConstant(int64(target), `${output}_shape`)
  layout.node('Reshape', [value, list], {}, { output: name.call(layout, output) })
  return true
}

function targetOf(shape: readonly Dim[]): number[] | undefined {
  const target = shape.map((dim, axis) => (axis === 0 ? 0 : typeof dim === 'number' ? dim : -1))
  return target.filter(extent => extent === -1).length > 1 || shape.includes(0) ? undefined : target
}

/** The shape of a value that exists with its channels last: that of the twin, put in order. */
const shape: LayoutRule = (layout, node) => {
  const [[x], [output]] = [node.inputs, node.outputs] as [[string], [string]]
  const rank = layout.shape(x)?.length
  if (!layout.isLast(x) || rank === undefined) return false
  const clamp = (at: number): number => Math.max(0, Math.min(rank, at < 0 ? at + rank : at))
  const order = toFirst(rank).slice(clamp(integer(node, 'start', 0)), clamp(integer(node, 'end', rank)))
  const whole = layout.node(
    'Shape',
    [layout.last(x)],
    {},
    { type: { kind: 'tensor', dtype: 'int64', shape: [rank] } },
  )
  const axes = layout.addConstant(int64(order), `${output}_order`)
  layout.node('Gather', [whole, axes], { axis: 0 }, { output })
  return true
}

/** [N, C, H, W] with blocks of channels spread over space, or back: a transpose of six axes either way. */
const depthToSpace: LayoutRule = (layout, node) => {
  const [[x], [output]] = [node.inputs, node.outputs] as [[string], [string]]
  const [from, to] = [layout.shape(x), layout.shape(output)]
  const block = integer(node, 'blocksize', 0)
  if (!layout.isLast(x) || from?.length !== 4 || to?.length !== 4 || block < 1) return false
  const mode = node.attributes.get('mode')
  const columns = mode?.type === 'string' && mode.value === 'CRD'
  const [, outer, high, wide] = node.op === 'DepthToSpace' ? from : to
  const [, inner] = node.op === 'DepthToSpace' ? to : from
  if ([outer, high, wide, inner].some(dim => typeof dim !== 'number' || dim === 0)) return false
  // Channels are [block, block, inner], or [inner, block, block]; the other side is [H, block, W, block, inner].
  const deep = columns ? [inner, block, block] : [block, block, inner]
  const steps =
    node.op === 'DepthToSpace'
      ? { split: [0, high, wide, ...deep], perm: columns ? [0, 1, 4, 2, 5, 3] : [0, 1, 3, 2, 4, 5] }
      : { split: [0, high, block, wide, block, inner], perm: [0, 1, 3, 2, 4, 5] }
  const dtype = layout.type(x)!.dtype
  const typed = (shape: readonly Dim[]) =>
    ({ kind: 'tensor', dtype, shape: [from[0]!, ...shape.slice(1)] }) as const
  const split = steps.split as number[]
  const merged = [0, to[2], to[3], to[1]] as number[]
  const list = (values: readonly number[]): string => layout.addConstant(int64(values), `${output}_shape`)
  const parts = layout.node('Reshape', [layout.last(x), list(split)], {}, { type: typed(split) })
  const turned = layout.node(
    'Transpose',
    [parts],
    { perm: steps.perm },
    { type: typed(permuted(split, steps.perm)) },
  )
  layout.node('Reshape', [turned, list(merged)], {}, { output: layout.twinOf(output) })
  return true
}

/** Channels shuffled as exporters write it: [N, C, ...] as [N, g, C/g, ...], the two exchanged, and back. */
const shuffle: LayoutRule = (layout, node) => {
  const [x] = node.inputs as [string]
  const from = layout.shape(x)
  const parts = layout.shape(node.outputs[0]!)
  if (!layout.isLast(x) || from === undefined || parts?.length !== from.length + 1) return false
  const turn = onlyReader(layout, node, 'Transpose')
  const back = turn && onlyReader(layout, turn, 'Reshape')
  const perm = turn?.attributes.get('perm')
  if (back === undefined || perm?.type !== 'ints') return false
  const rank = parts.length
  const exchanged = Array.from({ length: rank }, (_, axis) => (axis === 1 ? 2 : axis === 2 ? 1 : axis))
  const [output] = back.outputs as [string]
  const same = (a: readonly Dim[], b: readonly Dim[]): boolean =>
    a.length === b.length && a.every((dim, axis) => sameDim(dim, b[axis]!))
  if (!equal(perm.value.map(Number), exchanged) || !same(layout.shape(output) ?? [], from)) return false
  if (!sameDim(parts[0]!, from[0]!) || !same(parts.slice(3), from.slice(2))) return false
  const split = [parts[0]!, ...parts.slice(3), parts[1]!, parts[2]!]
  const [cut, joined] = [targetOf(split), targetOf(permuted(from, toLast(from.length)))]
  if (cut === undefined || joined === undefined) return false
  const dtype = layout.type(x)!.dtype
  const order = Array.from({ length: rank }, (_, axis) =>
    axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis,
  )
  const list = (values: readonly number[]): string => layout.addConstant(int64(values), `${output}_shape`)
  const typed = (shape: readonly Dim[]) => ({ kind: 'tensor', dtype, shape }) as const
  const pieces = layout.node('Reshape', [layout.last(x), list(cut)], {}, { type: typed(split) })
  const turned = layout.node('Transpose', [pieces], { perm: order }, { type: typed(permuted(split, order)) })
  layout.node('Reshape', [turned, list(joined)], {}, { output: layout.twinOf(output) })
  layout.skip(turn!)
  layout.skip(back)
  return true
}

/** The one node that reads what another makes, where it is of this operator. */
function onlyReader(layout: Layout, node: Node, op: string): Node | undefined {
  const readers = layout.readers(node.outputs[0]!)
  const [reader] = readers ?? []
  return readers?.length === 1 && reader?.op === op && reader.inputs[0] === node.outputs[0]
    ? reader
    : undefined
}

export const movementRules: ReadonlyMap<string, readonly LayoutRule[]> = new Map([
  ['Transpose', [transpose]],
  ['Reshape', [reshape, shuffle]],
  ['Flatten', [reshape]],
  ['Squeeze', [reshape]],
  ['Unsqueeze', [reshape]],
  ['Shape', [shape]],
  ['DepthToSpace', [depthToSpace]],
  ['SpaceToDepth', [depthToSpace]],
])
