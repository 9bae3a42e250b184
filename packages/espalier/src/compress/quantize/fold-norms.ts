/**
 * Batch norms taken into the weights of the convolutions beside them. Before quantisation this is needed, not only
 * quicker: a norm between a convolution and its quantised result would keep both in floats. Weights keep their names.
 */
import { annotate } from '../../analysis/infer.ts'
import type { Graph, Initializer } from '../../graph/graph.ts'
import { namesIn } from '../../graph/names.ts'
import { applyRules } from '../../runtime/optimize/apply.ts'
import { batchNormConv } from '../../runtime/optimize/normalize/batch-norm-conv.ts'
import { convBatchNorm } from '../../runtime/optimize/normalize/conv-batch-norm.ts'

/** The graph with norms in weights, or the graph itself where there are none to take in. */
export function foldNorms(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op === 'BatchNormalization')) return graph
  const folded = applyRules(annotate(graph), [convBatchNorm, batchNormConv])
  const names = new Map<string, string>()
  const taken = namesIn(folded)
  const before = new Map(graph.nodes.map(node => [node.name, node]))
  for (const node of folded.nodes)
    for (const [i, name] of node.inputs.entries()) {
      const old = node.name === '' ? undefined : before.get(node.name)?.inputs[i]
      const made = folded.initializers.has(name) && !graph.initializers.has(name)
      if (!made || !old || names.has(name) || taken.has(old)) continue
      names.set(name, old)
      taken.add(old)
    }
  const rename = (name: string): string => names.get(name) ?? name
  return {
    ...folded,
    values: new Map([...folded.values].filter(([name]) => graph.values.has(name))),
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes: folded.nodes.map(node => ({ ...node, inputs: node.inputs.map(rename) })),
    initializers: new Map(
      [...folded.initializers].map(([name, value]): [string, Initializer] => [rename(name), value]),
    ),
  }
}
