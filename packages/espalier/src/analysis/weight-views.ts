/**
 * How each weight of a model is read as a matrix of outputs by inputs: the form in which patterns are laid over it, files
 * store it and kernels walk it. Rows are outputs. The columns of a convolution [O, C/group, kh, kw] are its taps, and
 * within a tap the channels (kh, kw, C/group), so that neighbours are values that a kernel multiplies side by side.
 */
import type { MatrixView } from '../formats/espalier/matrix.ts'
import { type Graph, type Node, normalizeDomain } from '../graph/graph.ts'
import { usesOf } from '../graph/uses.ts'
import type { WeightUse } from '../ops/op.ts'
import { type InferOptions, infer } from './infer.ts'

/** A weight of a node. */
export interface WeightPlace {
  /** Name of the initialiser. */
  readonly name: string
  readonly node: Node
  /** Index of the input of the node that it reaches, through operators that only turn or dequantise it. */
  readonly input: number
  readonly view: MatrixView
}

/**
 * The weights of the nodes of a graph, in the order of the nodes; one that several nodes share comes up with each of
 * them. Bodies are left out. Nodes that cannot run have none.
 */
export function weightPlaces(graph: Graph, options: Pick<InferOptions, 'operators'> = {}): WeightPlace[] {
  const { producer } = usesOf(graph)
  const nodes = new Set(graph.nodes)
  const found = new Map<Node, WeightPlace[]>()
  infer(graph, {
    ...options,
    onError: () => {},
    onNode(node, context, { op }) {
      if (!nodes.has(node) || op.weights === undefined) return
      const places = op.weights(context).flatMap(use => {
        const source = sourceOf(graph, producer, node.inputs[use.input] ?? '', viewOf(use))
        return source === undefined ? [] : [{ ...source, node, input: use.input }]
      })
      if (places.length > 0) found.set(node, places)
    },
  })
  return graph.nodes.flatMap(node => found.get(node) ?? [])
}

/** The view of every weight, by name; that of its first use, where several nodes share it. */
export function weightViews(graph: Graph): Map<string, MatrixView> {
  const views = new Map<string, MatrixView>()
  for (const { name, view } of weightPlaces(graph)) if (!views.has(name)) views.set(name, view)
  return views
}

/** The matrix that an operator multiplies by. */
export function viewOf({ rows, columns: [first, ...others] }: WeightUse): MatrixView {
  const columns = first === undefined ? others : [...others, first]
  return { order: [...rows, ...columns], columnAxes: columns.length }
}

/** The initialiser behind a value, and the view turned as the way to it turns the axes. */
function sourceOf(
  graph: Graph,
  producer: ReadonlyMap<string, Node>,
  value: string,
  view: MatrixView,
): { readonly name: string; readonly view: MatrixView } | undefined {
  const initializer = graph.initializers.get(value)
  if (initializer !== undefined)
    return initializer.shape.length === view.order.length ? { name: value, view } : undefined
  const node = producer.get(value)
  if (node === undefined || normalizeDomain(node.domain) !== '') return undefined
  const [input = ''] = node.inputs
  if (['Identity', 'Cast', 'DequantizeLinear'].includes(node.op))
    return sourceOf(graph, producer, input, view)
  if (node.op !== 'Transpose') return undefined
  const stated = node.attributes.get('perm')
  const perm =
    stated?.type === 'ints'
      ? stated.value.map(Number)
      : view.order.map((_, axis) => view.order.length - 1 - axis)
  const order = view.order.map(axis => perm[axis]!)
  return sourceOf(graph, producer, input, { ...view, order })
}
