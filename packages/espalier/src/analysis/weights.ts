/**
 * The constants behind the weights of nodes: looked for through operators that only re-shape or dequantise them, and
 * through bodies into the graphs around them.
 */
import { bodiesOf, type Graph, type Initializer, type Node, normalizeDomain } from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import { usesOf } from '../graph/uses.ts'
import { interpret } from '../ops/interpret.ts'
import type { Operators, WeightUse } from '../ops/op.ts'
import { numbers } from '../tensor/elements.ts'
import { sizeOf, stridesOf } from '../tensor/shape.ts'
import { isTensor, type Tensor, tensor } from '../tensor/tensor.ts'

export interface FoundWeight {
  /** Name of the constant. */
  readonly name: string
  /** The constant as stored. */
  readonly stored: Initializer
  /**
   * What the node sees: the constant re-shaped and dequantised. Only its zeros are sure to be right: what scales all
   * elements of a weight may be left out.
   */
  readonly values: Tensor
}

/** Operators through which a weight is still the same weight. */
const transparent = new Set([
  ...['Cast', 'DequantizeLinear', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze'],
])

/** A graph or body with those around it. */
interface Scope {
  readonly graph: Graph
  readonly producer: ReadonlyMap<string, Node>
  readonly inputs: ReadonlySet<string>
  readonly outer: Scope | undefined
}

/** Finds the weight that a node of `graph`, or of one of its bodies, uses; `undefined` where it is not a constant. */
export function weightFinder(
  graph: Graph,
  operators: Operators,
): (node: Node, use: WeightUse) => FoundWeight | undefined {
  const scopes = new Map<Node, Scope>()
  addScopes(graph, undefined, scopes)

  function constant(scope: Scope | undefined, name: string): [Scope, Initializer] | undefined {
    if (scope === undefined || name === '') return undefined
    const { graph: place, producer, inputs, outer } = scope
    const initializer = place.initializers.get(name) ?? constantOf(producer.get(name))
    if (initializer !== undefined) return [scope, initializer]
    return producer.has(name) || inputs.has(name) ? undefined : constant(outer, name)
  }

  function find(scope: Scope, name: string): FoundWeight | undefined {
    const stored = constant(scope, name)?.[1]
    if (stored !== undefined) return { name, stored, values: denseOf(stored) }
    const node = scope.producer.get(name)
    if (node === undefined)
      return scope.outer === undefined || scope.inputs.has(name) ? undefined : find(scope.outer, name)
    if (!transparent.has(node.op) || normalizeDomain(node.domain) !== '') return undefined
    const source = find(scope, node.inputs[0] ?? '')
    return source && seenThrough(scope, node, source)
  }

  function seenThrough(scope: Scope, node: Node, source: FoundWeight): FoundWeight | undefined {
    const feeds = new Map([[node.inputs[0]!, source.values]])
    for (const name of node.inputs.slice(1)) {
      if (name === '') continue
      const found = constant(scope, name)
      if (found === undefined) return undefined
      feeds.set(name, denseOf(found[1]))
    }
    // Without a zero point, zeros stay where they are, and need no copy in floats.
    if (node.op === 'DequantizeLinear' && isAllZero(feeds.get(node.inputs[2] ?? ''))) return source
    const piece: Graph = { ...graph, inputs: [], nodes: [node], initializers: new Map() }
    const [name] = node.outputs as [string]
    const values = interpret(piece, feeds, { operators, outputs: [name] }).get(name)
    return isTensor(values) ? { ...source, values } : undefined
  }

  return (node, use) => {
    const scope = scopes.get(node)
    const found = scope && find(scope, node.inputs[use.input] ?? '')
    if (scope === undefined || found === undefined || use.zeroPoint === undefined) return found
    const zeroPoint = node.inputs[use.zeroPoint] ?? ''
    if (zeroPoint === '') return found
    const known = constant(scope, zeroPoint)
    return known && { ...found, values: lessZeroPoint(found.values, denseOf(known[1]), use) }
  }
}

function addScopes(graph: Graph, outer: Scope | undefined, scopes: Map<Node, Scope>): void {
  const { producer } = usesOf(graph)
  const scope = { graph, producer, inputs: new Set(graph.inputs.map(({ name }) => name)), outer }
  for (const node of graph.nodes) {
    scopes.set(node, scope)
    for (const body of bodiesOf(node)) addScopes(body, scope, scopes)
  }
}

/** The tensor that a `Constant` node holds. */
export function constantOf(node: Node | undefined): Initializer | undefined {
  if (node?.op !== 'Constant' || normalizeDomain(node.domain) !== '') return undefined
  const [held] = node.attributes.values()
  return held?.type === 'tensor' || held?.type === 'sparse_tensor' ? held.value : undefined
}

function isAllZero(zeroPoint: Tensor | undefined): boolean {
  return zeroPoint === undefined || numbers(zeroPoint).every(value => value === 0)
}

/** A quantised weight less its zero point, of which there is one, or one for every row. */
function lessZeroPoint(weight: Tensor, zeroPoint: Tensor, { rows }: WeightUse): Tensor {
  if (isAllZero(zeroPoint)) return weight
  const [values, zeros] = [numbers(weight), numbers(zeroPoint)]
  const axis = rows.at(-1) ?? 0
  const step = zeros.length === 1 ? sizeOf(weight.shape) : stridesOf(weight.shape)[axis]!
  return tensor(
    'float64',
    weight.shape,
    values.map((value, i) => value - zeros[Math.floor(i / step) % zeros.length]!),
  )
}
