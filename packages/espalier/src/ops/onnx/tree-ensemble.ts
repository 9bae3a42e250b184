/** Scores from an ensemble of decision trees, written as interior nodes and leaves apart (ai.onnx.ml). */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Attributes, Op } from '../op.ts'
import { int, optional, required } from '../schema.ts'
import {
  aggregates,
  checkVotes,
  comparison,
  type Ensemble,
  featureRows,
  scoreRow,
  type TreeNode,
} from '../support/decision-trees.ts'
import { typed } from '../support/infer.ts'
import { outputSize } from '../support/movement.ts'
import { scoreTransform, scoreTransforms } from '../support/score-transforms.ts'

export const TreeEnsemble: Op = {
  name: 'TreeEnsemble',
  domain: 'ai.onnx.ml',
  doc: 'Scores of every row of features: the weights of the leaves that it reaches, aggregated by target.',
  versions: {
    5: {
      inputs: ['X: T'],
      outputs: ['Y: T'],
      types: { T: ['float32', 'float64', 'float16'] },
      attributes: {
        aggregate_function: int(1),
        leaf_targetids: required('ints'),
        leaf_weights: required('tensor'),
        membership_values: optional('tensor'),
        n_targets: optional('int'),
        nodes_falseleafs: required('ints'),
        nodes_falsenodeids: required('ints'),
        nodes_featureids: required('ints'),
        nodes_hitrates: optional('tensor'),
        nodes_missing_value_tracks_true: optional('ints'),
        nodes_modes: required('tensor'),
        nodes_splits: required('tensor'),
        nodes_trueleafs: required('ints'),
        nodes_truenodeids: required('ints'),
        post_transform: int(0),
        tree_roots: required('ints'),
      },
    },
  },
  infer(c) {
    const shape = c.shape(0)
    const rows = shape?.length === 2 ? shape[0]! : 1
    return [typed(c.dtype(0), shape && [rows, targetCount(c.attributes)])]
  },
  evaluate(c) {
    const x = c.tensor(0)
    const ensemble = readEnsemble(c.attributes)
    const aggregate = aggregates[c.attributes.int('aggregate_function')]
    if (aggregate === undefined)
      throw new EspalierError('bad-argument', 'unknown aggregation', {
        where: { field: 'aggregate_function' },
        expected: '0 to 3',
        got: `${c.attributes.int('aggregate_function')}`,
      })
    const transform = scoreTransform(scoreTransforms[c.attributes.int('post_transform')])
    const rows = featureRows(x)
    outputSize(x.dtype, [rows.length, ensemble.targets])
    const scores = rows.flatMap(row => transform(scoreRow(ensemble, row, aggregate)))
    return [fromNumbers(x.dtype, [rows.length, ensemble.targets], scores)]
  },
}

function targetCount(attributes: Attributes): number {
  const given = attributes.optionalInt('n_targets')
  return given ?? attributes.ints('leaf_targetids').reduce((most, target) => Math.max(most, target + 1), 1)
}

/** Names of the comparisons, at their numbers; 6 is membership in a set. */
const modes = ['LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ']
const member = 6

/** The ensemble as nodes: all interior nodes, then all leaves. */
function readEnsemble(attributes: Attributes): Ensemble {
  const features = attributes.ints('nodes_featureids')
  const count = features.length
  const parallel = <L extends ArrayLike<number>>(name: string, list: L): L => {
    if (list.length === count) return list
    throw new EspalierError('invalid-graph', 'node attributes differ in length', {
      where: { field: name },
      expected: `${count}`,
      got: `${list.length}`,
    })
  }
  const list = (name: string): readonly number[] => parallel(name, attributes.ints(name))
  const [yes, no] = [list('nodes_truenodeids'), list('nodes_falsenodeids')]
  const [yesLeaf, noLeaf] = [list('nodes_trueleafs'), list('nodes_falseleafs')]
  const splits = parallel('nodes_splits', numbers(attributes.tensor('nodes_splits')))
  const kinds = parallel('nodes_modes', numbers(attributes.tensor('nodes_modes')))
  const missing = parallel(
    'nodes_missing_value_tracks_true',
    attributes.optionalInts('nodes_missing_value_tracks_true') ?? new Array<number>(count).fill(0),
  )
  const members = readMembers(attributes)
  const branches = features.map((feature, index): TreeNode => {
    const set = kinds[index] === member ? members.next().value : undefined
    const test = set === undefined ? comparison(modes[kinds[index]!] ?? '', splits[index]!) : memberOf(set)
    if (test === undefined)
      throw new EspalierError('bad-argument', `node ${index} has an unknown mode, or no members`, {
        where: { field: 'nodes_modes' },
        got: `${kinds[index]}`,
      })
    return {
      kind: 'branch',
      feature,
      test,
      missing: missing[index] === 1,
      yes: yes[index]! + (yesLeaf[index] ? count : 0),
      no: no[index]! + (noLeaf[index] ? count : 0),
    }
  })
  const weights = numbers(attributes.tensor('leaf_weights'))
  const targets = targetCount(attributes)
  const votes = attributes
    .ints('leaf_targetids')
    .map((target, leaf) => ({ target, weight: weights[leaf] ?? 0 }))
  if (votes.length !== weights.length)
    throw new EspalierError('invalid-graph', 'there are not as many leaf targets as leaf weights')
  checkVotes(votes, targets)
  const leaves = votes.map((vote): TreeNode => ({ kind: 'leaf', votes: [vote] }))
  return { nodes: [...branches, ...leaves], roots: attributes.ints('tree_roots'), targets }
}

const memberOf =
  (set: ReadonlySet<number>): ((value: number) => boolean) =>
  value =>
    set.has(value)

/** The sets of members, in the order of the nodes that test them; a NaN ends each. */
function* readMembers(attributes: Attributes): Generator<ReadonlySet<number>, undefined> {
  if (!attributes.has('membership_values')) return undefined
  let set = new Set<number>()
  for (const value of numbers(attributes.tensor('membership_values')))
    if (Number.isNaN(value)) {
      yield set
      set = new Set()
    } else set.add(value)
  return undefined
}
