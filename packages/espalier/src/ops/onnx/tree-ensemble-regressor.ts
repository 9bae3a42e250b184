/** Regression by an ensemble of decision trees (ai.onnx.ml, before `TreeEnsemble`). */
import { EspalierError } from '../../errors.ts'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { optional, type Schema, string } from '../schema.ts'
import { aggregates, featureRows, scoreRow } from '../support/decision-trees.ts'
import { outputSize } from '../support/movement.ts'
import { scoreTransform } from '../support/score-transforms.ts'
import { floatList, readTrees, treeAttributes } from '../support/tree-attributes.ts'

const version = (tensors: boolean): Schema => ({
  inputs: ['X: T'],
  outputs: ['Y: float32'],
  types: { T: ['float32', 'float64', 'int64', 'int32'] },
  attributes: {
    aggregate_function: string('SUM', aggregates),
    n_targets: optional('int'),
    ...treeAttributes('target', tensors),
  },
})

export const TreeEnsembleRegressor: Op = {
  name: 'TreeEnsembleRegressor',
  domain: 'ai.onnx.ml',
  doc: 'Values of every row of features: the weights of the leaves that it reaches, aggregated by target.',
  deprecated: 5,
  versions: { 1: version(false), 3: version(true) },
  infer(c) {
    const shape = c.shape(0)
    return [
      tensorType('float32', shape && [shape.length === 2 ? shape[0]! : 1, c.attributes.int('n_targets')]),
    ]
  },
  evaluate(c) {
    const targets = c.attributes.int('n_targets')
    const rows = featureRows(c.tensor(0))
    outputSize('float32', [rows.length, targets])
    const ensemble = readTrees(c.attributes, 'target', targets)
    const wanted = c.attributes.string('aggregate_function')
    const aggregate = aggregates.find(name => name === wanted)
    if (aggregate === undefined)
      throw new EspalierError('bad-argument', 'unknown aggregation', {
        where: { field: 'aggregate_function' },
        expected: aggregates.join(', '),
        got: wanted,
      })
    const base = floatList(c.attributes, 'base_values') ?? []
    const transform = scoreTransform(c.attributes.string('post_transform'))
    const values = rows.flatMap(row =>
      transform(scoreRow(ensemble, row, aggregate).map((score, target) => score + (base[target] ?? 0))),
    )
    return [fromNumbers('float32', [rows.length, targets], values)]
  },
}
