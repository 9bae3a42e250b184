/**
 * How far a graph can be planned at once. With the types of what is at hand, inference gives the shapes of what follows,
 * up to the first node whose outputs depend on data (`NonZero`), or are no plain tensors (sequences). A stage ends
 * there; that node runs, and with what it gave the next stage is found. Most models are one stage.
 */
import { infer } from '../../analysis/infer.ts'
import { type Graph, type Node, tensorType, type ValueType } from '../../graph/graph.ts'
import { pieceOf } from '../../graph/piece.ts'
import { readsOf } from '../../graph/uses.ts'
import type { ConcreteType } from '../../ops/lower.ts'
import type { Operators } from '../../ops/op.ts'
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../../tensor/tensor.ts'

/** Nodes that can be planned together. */
export interface Stage {
  /** The node after the last one of the stage. */
  readonly end: number
  /** The nodes that have something to compute, in order. */
  readonly nodes: readonly Node[]
  /** Types of all values in reach, inputs and constants included. */
  readonly types: ReadonlyMap<string, ConcreteType>
  readonly constants: ReadonlyMap<string, Tensor>
  /** Values that come from outside, in order. */
  readonly inputs: readonly string[]
  /** Values that are needed after the stage, in order. */
  readonly outputs: readonly string[]
}

/** What is at hand when a stage is looked for. */
export interface Position {
  readonly graph: Graph
  /** Number of the first node that has not run. */
  readonly from: number
  /** What has been fed or computed and is still needed; constants of the graph are not among it. */
  readonly types: ReadonlyMap<string, ValueType>
  /** Small integers among it whose values are fixed in the plan too: shapes, axes. */
  readonly fixed: ReadonlyMap<string, Tensor>
}

/** The stage that begins at a position; without nodes when the next node cannot be planned. */
export function findStage({ graph, from, types, fixed }: Position, operators: Operators): Stage {
  const nodes = graph.nodes.slice(from)
  const wanted = graph.outputs.map(({ name }) => name)
  const given = [...types.keys()].filter(name => !fixed.has(name))
  const initializers = new Map(graph.initializers)
  for (const name of given) initializers.delete(name)
  for (const [name, value] of fixed) initializers.set(name, value)
  const rest: Graph = {
    ...graph,
    nodes,
    inputs: given.map(name => ({ name, type: types.get(name)! })),
    outputs: wanted.map(name => ({ name })),
    initializers,
    values: new Map(),
  }
  const facts = infer(rest, { operators })
  const constants = new Map(facts.constants)
  for (const [name, contents] of facts.contents) {
    const type = concrete(facts.types.get(name))
    if (constants.has(name) || type === undefined || types.has(name)) continue
    if (contents.every(dim => typeof dim === 'number'))
      constants.set(name, fromNumbers(type.dtype, type.shape, contents as number[]))
  }
  const known = new Map<string, ConcreteType>()
  for (const [name, type] of facts.types) {
    const found = concrete(type)
    if (found !== undefined) known.set(name, found)
  }
  const computed = (node: Node): boolean => !node.outputs.every(name => name === '' || constants.has(name))
  const plannable = (name: string): boolean => known.has(name) || constants.has(name)
  let count = nodes.findIndex(
    node =>
      computed(node) &&
      !(readsOf(node).every(plannable) && node.outputs.every(name => name === '' || plannable(name))),
  )
  if (count < 0) count = nodes.length
  const inStage = nodes.slice(0, count)
  const after = new Set([...wanted, ...nodes.slice(count).flatMap(readsOf)])
  const made = new Set(inStage.flatMap(node => node.outputs.filter(name => name !== '')))
  const outputs = [...made].filter(name => after.has(name))
  const live = liveNodes(inStage, outputs, computed, constants)
  const read = new Set([...live.flatMap(readsOf), ...outputs])
  const inputs = given.filter(name => read.has(name))
  return { end: from + count, nodes: live, types: known, constants, inputs, outputs }
}

function liveNodes(
  nodes: readonly Node[],
  outputs: readonly string[],
  computed: (node: Node) => boolean,
  constants: ReadonlyMap<string, Tensor>,
): Node[] {
  const needed = new Set(outputs)
  const live: Node[] = []
  for (const node of nodes.toReversed()) {
    if (!computed(node) || !node.outputs.some(name => needed.has(name) && !constants.has(name))) continue
    for (const name of readsOf(node)) needed.add(name)
    live.push(node)
  }
  return live.reverse()
}

/** A tensor type with numbers for extents, of a data type that kernels can address. */
function concrete(type: ValueType | undefined): ConcreteType | undefined {
  if (type?.kind !== 'tensor' || type.shape === undefined || !addressable(type.dtype)) return undefined
  return type.shape.every(dim => typeof dim === 'number')
    ? { dtype: type.dtype, shape: type.shape as readonly number[] }
    : undefined
}

/** Whether elements of this type are whole bytes. */
function addressable(dtype: DType): boolean {
  return dtype !== 'string' && dtypeInfo(dtype).bits % 8 === 0
}

/** Most elements of an integer tensor whose values may be fixed in a plan. */
const LONGEST_FIXED = 64

/** Whether a value can be fixed in a plan: it is small, and of integers, as shapes and axes are. */
export function canFix(value: RuntimeValue): value is Tensor {
  if (!isTensor(value) || value.shape.length > 1) return false
  return (value.dtype === 'int64' || value.dtype === 'int32') && value.data.length <= LONGEST_FIXED
}

/** Type of a value at hand. */
export function typeOfValue(value: RuntimeValue): ValueType {
  if (value === null) return { kind: 'optional' }
  if (isTensor(value)) return tensorType(value.dtype, value.shape)
  return value.length > 0 ? { kind: 'sequence', element: looseType(value[0]!) } : { kind: 'sequence' }
}

/** Elements of a sequence may differ in shape. */
function looseType(value: RuntimeValue): ValueType {
  const type = typeOfValue(value)
  return type.kind === 'tensor' ? tensorType(type.dtype) : type
}

/** The graph of one node, whose inputs are what it reads. */
export function graphOfNode(graph: Graph, node: Node, reads: readonly string[]): Graph {
  return pieceOf(graph, {
    inputs: reads.map(name => ({ name })),
    outputs: node.outputs.filter(name => name !== '').map(name => ({ name })),
    nodes: [node],
    initializers: new Map(),
  })
}
