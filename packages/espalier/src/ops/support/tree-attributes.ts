/**
 * The trees of `TreeEnsembleRegressor` and `TreeEnsembleClassifier`: nodes as parallel lists, leaves among
 * them, named by tree and node number; votes as another set of lists. Any list of floats may be given as a
 * tensor instead.
 */
import { EspalierError } from '../../errors.ts'
import { numbers } from '../../tensor/elements.ts'
import type { Attributes } from '../op.ts'
import { type AttributeSchema, optional, string } from '../schema.ts'
import { checkVotes, comparison, type Ensemble, type TreeNode, type Vote } from './decision-trees.ts'
import { scoreTransforms } from './score-transforms.ts'

type AttributeSchemas = Readonly<Record<string, AttributeSchema>>

/**
 * Attributes of both operators; those that hold votes begin with `votes`. From version 3 on, tensors are
 * allowed.
 */
export function treeAttributes(votes: 'target' | 'class', tensors: boolean): AttributeSchemas {
  const floats = (name: string): AttributeSchemas => ({
    [name]: optional('floats'),
    ...(tensors && { [`${name}_as_tensor`]: optional('tensor') }),
  })
  return {
    ...floats('base_values'),
    nodes_falsenodeids: optional('ints'),
    nodes_featureids: optional('ints'),
    ...floats('nodes_hitrates'),
    nodes_missing_value_tracks_true: optional('ints'),
    nodes_modes: optional('strings'),
    nodes_nodeids: optional('ints'),
    nodes_treeids: optional('ints'),
    nodes_truenodeids: optional('ints'),
    ...floats('nodes_values'),
    post_transform: string('NONE', scoreTransforms),
    [`${votes}_ids`]: optional('ints'),
    [`${votes}_nodeids`]: optional('ints'),
    [`${votes}_treeids`]: optional('ints'),
    ...floats(`${votes}_weights`),
  }
}

/** A list of floats, however it is given. */
export function floatList(attributes: Attributes, name: string): readonly number[] | undefined {
  const tensor = `${name}_as_tensor`
  return attributes.has(tensor)
    ? Array.from(numbers(attributes.tensor(tensor)))
    : attributes.optionalFloats(name)
}

/** The trees, with votes for `targets` targets. Throws `invalid-graph` or `bad-argument`. */
export function readTrees(attributes: Attributes, votes: 'target' | 'class', targets: number): Ensemble {
  const modes = attributes.strings('nodes_modes')
  const parallel = <T>(name: string, list: readonly T[] | undefined, length: number): readonly T[] => {
    if (list?.length === length) return list
    throw new EspalierError('invalid-graph', 'lists that belong together differ in length', {
      where: { field: name },
      expected: `${length}`,
      got: `${list?.length ?? 'none'}`,
    })
  }
  const nodeInts = (name: string): readonly number[] => parallel(name, attributes.ints(name), modes.length)
  const [trees, ids] = [nodeInts('nodes_treeids'), nodeInts('nodes_nodeids')]
  const [yes, no] = [nodeInts('nodes_truenodeids'), nodeInts('nodes_falsenodeids')]
  const features = nodeInts('nodes_featureids')
  const thresholds = parallel('nodes_values', floatList(attributes, 'nodes_values'), modes.length)
  const missing = attributes.optionalInts('nodes_missing_value_tracks_true') ?? []

  const keyOf = (tree: number, node: number): string => `${tree}/${node}`
  const indices = new Map(trees.map((tree, index) => [keyOf(tree, ids[index]!), index]))
  const ballots = new Map<string, Vote[]>()
  const voteTargets = attributes.ints(`${votes}_ids`)
  const voteInts = (name: string): readonly number[] =>
    parallel(name, attributes.ints(name), voteTargets.length)
  const [voteTrees, voteNodes] = [voteInts(`${votes}_treeids`), voteInts(`${votes}_nodeids`)]
  const weights = parallel(`${votes}_weights`, floatList(attributes, `${votes}_weights`), voteTargets.length)
  for (const [index, target] of voteTargets.entries()) {
    const key = keyOf(voteTrees[index]!, voteNodes[index]!)
    const ballot = ballots.get(key) ?? []
    ballots.set(key, [...ballot, { target, weight: weights[index]! }])
  }

  const nodes = modes.map((mode, index): TreeNode => {
    const key = keyOf(trees[index]!, ids[index]!)
    if (mode === 'LEAF') {
      const ballot = ballots.get(key) ?? []
      checkVotes(ballot, targets)
      return { kind: 'leaf', votes: ballot }
    }
    const test = comparison(mode.replace(/^BRANCH_/, ''), thresholds[index]!)
    if (test === undefined)
      throw new EspalierError('bad-argument', `node ${key} has an unknown mode`, {
        where: { field: 'nodes_modes' },
        got: mode,
      })
    const child = (id: number): number => indices.get(keyOf(trees[index]!, id)) ?? -1
    return {
      kind: 'branch',
      feature: features[index]!,
      test,
      missing: missing[index] === 1,
      yes: child(yes[index]!),
      no: child(no[index]!),
    }
  })
  // The first node of each tree is its root.
  const roots = new Map<number, number>()
  for (const [index, tree] of trees.entries()) if (!roots.has(tree)) roots.set(tree, index)
  return { nodes, roots: [...roots.values()], targets }
}
