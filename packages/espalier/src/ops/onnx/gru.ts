/** Gated recurrent unit, arXiv 1406.1078. Gates in the order update (z), reset (r), hidden (h). */
import type { Op } from '../op.ts'
import { int } from '../schema.ts'
import { addProduct, recurrentOp } from '../support/recurrent.ts'

export const GRU: Op = recurrentOp({
  name: 'GRU',
  doc: 'One layer of gated recurrent units.',
  gates: 3,
  activations: ['Sigmoid', 'Tanh'],
  attributes: { linear_before_reset: int(0) },
  kernel: attributes => (attributes.int('linear_before_reset') !== 0 ? 'gru_linear' : 'gru'),
  cell(attributes, { hidden: size, recurrent, recurrentBias, activations: [f, g] }) {
    const linearBeforeReset = attributes.int('linear_before_reset') !== 0
    const split = 2 * size
    const ofGates = recurrent.subarray(0, split * size)
    const ofHidden = recurrent.subarray(split * size)
    const reset = new Float64Array(size)
    const candidate = new Float64Array(size)
    return (gates, { hidden }) => {
      const updateAndReset = gates.subarray(0, split)
      addProduct(updateAndReset, ofGates, hidden)
      for (let i = 0; i < split; i++) gates[i] = f!(gates[i]! + recurrentBias[i]!)
      // With linear_before_reset, r scales R h + Rb; otherwise it scales the h that R is applied to.
      for (let i = 0; i < size; i++) reset[i] = linearBeforeReset ? hidden[i]! : gates[size + i]! * hidden[i]!
      candidate.set(recurrentBias.subarray(split))
      addProduct(candidate, ofHidden, reset)
      for (let i = 0; i < size; i++) {
        const z = gates[i]!
        const factor = linearBeforeReset ? gates[size + i]! : 1
        const h = g!(gates[split + i]! + factor * candidate[i]!)
        hidden[i] = (1 - z) * h + z * hidden[i]!
      }
    }
  },
})
