/**
 * Ensembles of decision trees: walking them from root to leaf, and adding up what their leaves say. The
 * operators of ai.onnx.ml only differ in how they write the trees down.
 */
import { EspalierError } from '../../errors.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** What a leaf adds to one target. */
export interface Vote {
  readonly target: number
  readonly weight: number
}

export type TreeNode =
  | { readonly kind: 'leaf'; readonly votes: readonly Vote[] }
  | {
      readonly kind: 'branch'
      readonly feature: number
      readonly test: (value: number) => boolean
      /** Where a missing value (NaN) goes. */
      readonly missing: boolean
      /** Indices of nodes. */
      readonly yes: number
      readonly no: number
    }

export interface Ensemble {
  readonly nodes: readonly TreeNode[]
  /** Index of the root of every tree. */
  readonly roots: readonly number[]
  readonly targets: number
}

export type Aggregate = 'AVERAGE' | 'SUM' | 'MIN' | 'MAX'
/** ONNX's names, at the number that `TreeEnsemble` gives them. */
export const aggregates: readonly Aggregate[] = ['AVERAGE', 'SUM', 'MIN', 'MAX']

/**
 * The comparison called `mode` (without ONNX's `BRANCH_`) with `threshold`; `undefined` when there is none.
 */
export function comparison(mode: string, threshold: number): ((value: number) => boolean) | undefined {
  switch (mode) {
    case 'LEQ':
      return value => value <= threshold
    case 'LT':
      return value => value < threshold
    case 'GTE':
      return value => value >= threshold
    case 'GT':
      return value => value > threshold
    case 'EQ':
      return value => value === threshold
    case 'NEQ':
      return value => value !== threshold
    default:
      return undefined
  }
}

/** Rows of a matrix of features; a vector is one row. */
export function featureRows(x: Tensor): Float64Array[] {
  if (x.shape.length === 0 || x.shape.length > 2)
    throw new EspalierError('bad-shape', 'not a matrix of features', {
      expected: 'shape NxF or F',
      got: formatShape(x.shape),
    })
  const values = numbers(x)
  const width = x.shape.at(-1)!
  const count = x.shape.length === 2 ? x.shape[0]! : 1
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width))
}

/** Scores of one row, by target; targets that no leaf votes for are 0. */
export function scoreRow(
  { nodes, roots, targets }: Ensemble,
  row: Float64Array,
  aggregate: Aggregate,
): number[] {
  const scores = new Array<number | undefined>(targets).fill(undefined)
  for (const root of roots)
    for (const { target, weight } of leafOf(nodes, root, row)) {
      const score = scores[target]
      if (score === undefined) scores[target] = weight
      else if (aggregate === 'MIN') scores[target] = Math.min(score, weight)
      else if (aggregate === 'MAX') scores[target] = Math.max(score, weight)
      else scores[target] = score + weight
    }
  const divisor = aggregate === 'AVERAGE' ? roots.length : 1
  return scores.map(score => (score ?? 0) / divisor)
}

function leafOf(nodes: readonly TreeNode[], root: number, row: Float64Array): readonly Vote[] {
  let index = root
  // As many steps as there are nodes, and no more: a cycle would go on for ever.
  for (let step = 0; step <= nodes.length; step++) {
    const node = nodes[index]
    if (node === undefined)
      throw new EspalierError('invalid-graph', `a tree leads to node ${index}, which is none`)
    if (node.kind === 'leaf') return node.votes
    const value = row[node.feature]
    if (value === undefined)
      throw new EspalierError('bad-shape', `a tree asks for feature ${node.feature}`, {
        expected: `at least ${node.feature + 1} features`,
        got: `${row.length}`,
      })
    index = (Number.isNaN(value) ? node.missing : node.test(value)) ? node.yes : node.no
  }
  throw new EspalierError('invalid-graph', 'a tree has a cycle')
}

/** Checks that votes are for targets that exist; throws `bad-argument`. */
export function checkVotes(votes: readonly Vote[], targets: number): void {
  const wrong = votes.find(({ target }) => target < 0 || target >= targets)
  if (wrong !== undefined)
    throw new EspalierError('bad-argument', `a leaf votes for target ${wrong.target}`, {
      expected: `0 to ${targets - 1}`,
    })
}
