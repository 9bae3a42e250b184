/** Convolutions and pools: where channels last pays, and begins. */
import type { Attribute, Node } from '../../../graph/graph.ts'
import { normalizeDomain, operatorName } from '../../../graph/graph.ts'
import * as own from '../../../ops/espalier/index.ts'
import { espalierDomain } from '../../../ops/support/channels-last.ts'
import type { LayoutRule } from '../channels-last.ts'

/** The operators that have one of the project's own with channels last. */
const windowOps = {
  Conv: own.Conv,
  ConvTranspose: own.ConvTranspose,
  MaxPool: own.MaxPool,
  AveragePool: own.AveragePool,
  GlobalAveragePool: own.GlobalAveragePool,
  GlobalMaxPool: own.GlobalMaxPool,
}

/** Whether a graph with this node is worth a walk. */
export function startsLayout(node: Node): boolean {
  if (normalizeDomain(node.domain) === '') return Object.hasOwn(windowOps, node.op)
  return operatorName(node) === 'espalier.QuantizedConv'
}

/** The node with channels last: float32, or bytes of which the largest is taken; up to three spatial axes. */
const window: LayoutRule = (layout, node) => {
  const [x, ...others] = node.inputs as [string, ...string[]]
  const type = layout.type(x)
  const rank = type?.shape?.length ?? 0
  const bytes = node.op === 'MaxPool' && (type?.dtype === 'int8' || type?.dtype === 'uint8')
  if ((type?.dtype !== 'float32' && !bytes) || rank < 3 || rank > 5) return false
  if (node.outputs.slice(1).some(output => output !== '')) return false // positions of maxima are counted in ONNX's order
  const [output] = node.outputs as [string]
  const op = windowOps[node.op as keyof typeof windowOps]
  const known = op.versions[1]!.attributes ?? {}
  const attributes = new Map<string, Attribute>()
  for (const [name, attribute] of node.attributes)
    if (Object.hasOwn(known, name)) attributes.set(name, attribute)
  const inputs = [layout.last(x), ...others.map(name => layout.plain(name))]
  layout.add({ ...node, domain: espalierDomain, inputs, outputs: [layout.twinOf(output)], attributes })
  return true
}

export const windowRules: ReadonlyMap<string, readonly LayoutRule[]> = new Map(
  Object.keys(windowOps).map(name => [name, [window]]),
)
