/**
 * From the graph of a file to the graph that is compiled: constants folded, spellings made one, products and convolutions
 * joined with what follows them. Symbolic dimensions stay symbolic, so this happens once for all shapes; the result is
 * an ordinary graph that the reference executor runs too, which is how it is tested.
 */
import { foldWithTypes } from '../../analysis/fold.ts'
import { annotate } from '../../analysis/infer.ts'
import { removeUnused } from '../../graph/extract.ts'
import type { Graph } from '../../graph/graph.ts'
import { sortNodes } from '../../graph/order.ts'
import { withSparseAsTensors } from '../../graph/sparse.ts'
import { operators as standard } from '../../ops/index.ts'
import type { Operators } from '../../ops/op.ts'
import { applyRules } from './apply.ts'
import { channelsLast } from './channels-last.ts'
import { shareCommon } from './common-subexpressions.ts'
import { fuseRules } from './fuse/index.ts'
import { normalizeRules } from './normalize/index.ts'
import { reshapeTarget } from './normalize/reshape-target.ts'
import { fuseQuantized } from './quantized/index.ts'

/** One stage. Pure: gives a new graph, or the one it was given. */
export interface Pass {
  /** As in `--dump NAME`. */
  readonly name: string
  run(graph: Graph): Graph
}

/**
 * The stages in order. From the first on the graph states the type of every value, as far as it is known, is in order and
 * holds nothing unused.
 */
export const passes: readonly Pass[] = [
  { name: 'fold', run: fold },
  { name: 'shapes', run: graph => applyRules(graph, [reshapeTarget], { tidy: true }) },
  { name: 'normalize', run: graph => shareCommon(applyRules(graph, normalizeRules, { tidy: true })) },
  { name: 'quantize', run: fuseQuantized },
  { name: 'layout', run: channelsLast },
  { name: 'fuse', run: graph => applyRules(graph, fuseRules, { tidy: true }) },
]

/** Constants computed, repetitions shared, types stated. */
function fold(graph: Graph): Graph {
  const { graph: folded, inference } = foldWithTypes(sortNodes(graph))
  return shareCommon(removeUnused(annotate(folded, inference)))
}

export interface OptimizeOptions {
  /**
   * What the graph will run with; the library's own when left out. Passes know these and put one for another: where
   * one is missing or replaced, the graph stays as it is.
   */
  readonly operators?: Operators
  /** Called after every pass with its result. */
  readonly onPass?: (pass: Pass, graph: Graph) => void
}

/**
 * The graph after all passes, without sparse constants. Inputs, outputs and their names stay. Throws what `foldConstants` does for a graph that
 * cannot run.
 */
export function optimize(graph: Graph, { operators = standard, onPass }: OptimizeOptions = {}): Graph {
  const start = withSparseAsTensors(graph)
  if (!standard.all.every(op => operators.find(op.domain ?? '', op.name) === op)) return start
  return passes.reduce((current, pass) => {
    const next = pass.run(current)
    onPass?.(pass, next)
    return next
  }, start)
}
