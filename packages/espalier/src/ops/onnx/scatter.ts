/** The older name of ScatterElements. */
import type { Op } from '../op.ts'
import { allTypes, int } from '../schema.ts'
import { lowerScatterElements } from '../support/lower-indexing.ts'
import { ScatterElements } from './scatter-elements.ts'

export const Scatter: Op = {
  name: 'Scatter',
  doc: 'The data with each update written at its own position except along `axis`, where `indices` says which.',
  versions: {
    9: {
      inputs: ['data: T', 'indices: Tind', 'updates: T'],
      outputs: ['output: T'],
      types: { T: allTypes, Tind: ['int32', 'int64'] },
      attributes: { axis: int(0) },
    },
  },
  deprecated: 11,
  infer: ScatterElements.infer,
  evaluate: ScatterElements.evaluate,
  lower: lowerScatterElements,
}
