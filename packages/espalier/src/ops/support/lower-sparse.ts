/**
 * Weights with many zeros as steps of sparse kernels: asks the layouts (sparse/layouts) which of them a weight is quickest
 * in, if any (sparse/choice.ts), and has that one emit its step.
 */
import {
  type Candidate,
  type Choice,
  type Contest,
  choose,
  contestOf,
  cutsFor,
  type Kept,
  mostNumbers,
  type Timing,
} from '../../sparse/choice.ts'
import { builtInCosts, costsWith, denseSeconds, hasFewRows, rowsOf } from '../../sparse/costs.ts'
import { explainChoice } from '../../sparse/explain-choice.ts'
import type { Operands, ProductShape, SparseDtype } from '../../sparse/layout.ts'
import { sparseLayouts } from '../../sparse/layouts/index.ts'
import type { Nonzeros } from '../../sparse/nonzeros.ts'
import { madeLayout, remembered } from '../../sparse/remembered.ts'
import { countNonzero, nonzerosOf } from '../../sparse/weights.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { LowerContext } from '../lower.ts'

/** Fewer numbers than that are not worth a look. */
const leastNumbers = 1024
/** Of products with fewer multiply-adds, what is built in is good enough: measuring would take longer than they ever do. */
const leastMeasured = 2 ** 19

/** A product with constant weights. */
export interface SparseProduct extends ProductShape {
  readonly weight: Tensor
  /** How many times less time the dense kernel takes than one product a weight would; 1 when left out. */
  readonly denseGain?: number
}

/** Emits a step with a sparse weight where that is quicker than the dense kernel, and says whether it did. */
export function lowerSparse<D extends SparseDtype>(
  c: LowerContext,
  dtype: D,
  product: SparseProduct,
  operands: () => Operands<D>,
): boolean {
  const { weight, matrix, denseGain = 1 } = product
  const numbers = matrix.outputs * matrix.taps * matrix.channels
  if (numbers < leastNumbers) return false
  // Winograd's method rounds otherwise than sums by tap: neither what is measured nor the number of threads must decide which
  // of them is used.
  const rule = denseGain === 1 ? c.target : { ...c.target, threads: 1 }
  const cuts = cutsFor(sparseLayouts, dtype, product, rule)
  if (cuts.length === 0 || (c.target.sparse === 'auto' && remembered(weight).dense)) return false
  const measures = denseGain === 1 && rowsOf(product.window) * numbers >= leastMeasured
  const competes = cuts.length > 1 || c.target.sparse === 'auto'
  const machine = measures && competes ? c.machine : undefined
  const few = hasFewRows(product, rule)
  const layouts = cuts.map(({ layout }) => layout)
  const costs = costsWith(machine?.costs(layouts, few) ?? builtInCosts(rule, sparseLayouts), c.weightBytes)
  const contest = contestOf(cuts, denseSeconds(product, dtype, denseGain, costs, rule), costs, rule)
  // What is run by itself finds its weights in a cache. With few rows, which wait for them, that says nothing of a model.
  const timeable = machine !== undefined && !layouts.some(({ probe }) => probe.few)
  const timing: Timing | undefined = timeable ? kernels => machine.timed(c.node, kernels) : undefined
  const { choice, nonzero, nonzeros } = weigh(product, contest, timing)
  const { candidate } = choice.winner
  const why = explainChoice({ numbers, nonzero }, contest, choice)
  if (candidate === undefined) {
    c.note(why)
    return false
  }
  const cut = rule === c.target ? candidate.cut : candidate.layout.cut(product, c.target)!
  const { id, at, byteLength, make } = madeLayout(weight, matrix, cut, nonzeros)
  c.note(`${why}; ${byteLength} bytes, ${numbers * (dtype === 'float32' ? 4 : 1)} dense`)
  cut.emit(c, operands(), c.made(id, weight, byteLength, make), at)
  return true
}

interface Weighed {
  readonly choice: Choice
  /** Numbers that are not zero. */
  readonly nonzero: number
  /** They themselves, to be packed. */
  readonly nonzeros: () => Nonzeros
}

/** Looks at the weight, no further than is needed, and chooses. */
function weigh({ weight, matrix }: SparseProduct, contest: Contest, timing: Timing | undefined): Weighed {
  const seen = remembered(weight)
  const keyOf = (unit: string): string => `${unit} along ${matrix.outputStrides}`
  let found: Nonzeros | undefined
  const uncounted = contest.candidates.filter(({ layout }) => !seen.kept.has(keyOf(layout.unit)))
  if (uncounted.length > 0) {
    const most = mostNumbers(contest)
    if (seen.nonzero === undefined || seen.nonzero <= most) found = nonzerosOf(weight, matrix, most)
    seen.nonzero ??= found?.values.length ?? countNonzero(weight)
    if (found !== undefined)
      for (const { layout, cut } of uncounted) seen.kept.set(keyOf(layout.unit), cut.kept(found))
  }
  const nonzero = seen.nonzero!
  const kept = ({ layout: { unit, width } }: Candidate): Kept => {
    if (!seen.kept.has(keyOf(unit))) return { units: Math.ceil(nonzero / width), atLeast: width > 1 }
    const units = seen.kept.get(keyOf(unit))
    return units === undefined ? undefined : { units }
  }
  const choice = choose(contest, kept, timing)
  return { choice, nonzero, nonzeros: () => found ?? nonzerosOf(weight, matrix, sizeOf(weight.shape))! }
}
