/** x / sqrt(mean(x^2) + e) over the last axis: RMS norm. The scale joins in norm-affine.ts. */
import type { NodeRule } from '../rule.ts'
import { normOf, standardizedBy } from './standardize.ts'

export const rmsNorm: NodeRule = {
  name: 'rms-norm',
  at: ['Div', 'Mul'],
  apply(node, c) {
    const found = standardizedBy(c, node)
    if (found === undefined || found.squared !== found.numerator) return undefined
    return normOf(c, node, 'espalier.SkipRMSNormalization', found.numerator, found.epsilon)
  },
}
