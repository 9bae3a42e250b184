/**
 * QuantizeLinear of a function of one dequantised value: a table of 256 entries. Where the function is none and both
 * sides mean the same numbers by the same bytes, nothing is left at all.
 */

import type { ActivationName } from '../../../ops/support/activation.ts'
import { activationFunction } from '../../../ops/support/activation.ts'
import { quantizeNumbers } from '../../../ops/support/quantization.ts'
import type { NodeRule } from '../rule.ts'
import { activatedBefore } from './activated.ts'
import { dequantized, quantized, sameScale } from './quantized-value.ts'

export const quantizedLookup: NodeRule = {
  name: 'quantized-lookup',
  at: ['QuantizeLinear'],
  apply(node, c) {
    const y = quantized(c, node)
    const { value, activation } = activatedBefore(c, node.inputs[0]!)
    const x = dequantized(c, value)
    if (x === undefined || y === undefined) return undefined
    if (activation === undefined && sameScale(c, x, y)) return { same: x.value }
    const [xScale, xZero] = [c.scalar(x.scale)!, x.zero === '' ? 0 : c.scalar(x.zero)!]
    const [yScale, yZero] = [c.scalar(y.scale)!, y.zero === '' ? 0 : c.scalar(y.zero)!]
    const { activation: name, alpha, beta } = activation ?? { activation: 'none', alpha: 0, beta: 0 }
    const f = activationFunction({ name: name as ActivationName, alpha, beta })
    const quotients = Float64Array.from({ length: 256 }, (_, byte) => {
      const integer = x.dtype === 'int8' && byte > 127 ? byte - 256 : byte
      return Math.fround(Math.fround(f(Math.fround((integer - xZero) * xScale))) / yScale)
    })
    const draft = c.draft()
    const table = draft.constant(
      quantizeNumbers(y.dtype, [256], quotients, () => yZero),
      `${node.outputs[0]}_table`,
    )
    draft.node('espalier.Lookup', [x.value, table], {}, { output: node.outputs[0]!, name: node.name })
    return draft.done()
  },
}
