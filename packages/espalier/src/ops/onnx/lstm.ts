/**
 * Long short-term memory with optional peepholes. Gates in the order input (i), output (o), forget (f), cell
 * (c); peepholes i, o, f. With `input_forget` the forget gate is 1 - i.
 */
import type { Op } from '../op.ts'
import { int } from '../schema.ts'
import { addProduct, recurrentOp } from '../support/recurrent.ts'

export const LSTM: Op = recurrentOp({
  name: 'LSTM',
  doc: 'One layer of long short-term memory.',
  gates: 4,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  attributes: { input_forget: int(0) },
  hasCell: true,
  kernel: () => 'lstm',
  cell(attributes, { hidden: size, recurrent, recurrentBias, activations: [f, g, h], peepholes }) {
    const coupled = attributes.int('input_forget') !== 0
    const p = peepholes ?? new Float64Array(3 * size)
    return (gates, { hidden, cell }) => {
      addProduct(gates, recurrent, hidden)
      for (let i = 0; i < gates.length; i++) gates[i]! += recurrentBias[i]!
      for (let i = 0; i < size; i++) {
        const old = cell[i]!
        const input = f!(gates[i]! + p[i]! * old)
        const forget = coupled ? 1 - input : f!(gates[2 * size + i]! + p[2 * size + i]! * old)
        const updated = forget * old + input * g!(gates[3 * size + i]!)
        const output = f!(gates[size + i]! + p[size + i]! * updated)
        cell[i] = updated
        hidden[i] = output * h!(updated)
      }
    }
  },
})
