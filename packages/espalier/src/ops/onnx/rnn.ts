/** Elman network: h = f(W x + R h + b). Steps and directions are walked in support/recurrent.ts. */
import type { Op } from '../op.ts'
import { addProduct, recurrentOp } from '../support/recurrent.ts'

export const RNN: Op = recurrentOp({
  name: 'RNN',
  doc: 'One layer of a simple recurrent network.',
  gates: 1,
  activations: ['Tanh'],
  attributes: { activations: { type: 'strings', required: false, default: ['Tanh', 'Tanh'] } },
  kernel: () => 'rnn',
  cell(_, { recurrent, recurrentBias, activations: [f] }) {
    return (gate, { hidden }) => {
      addProduct(gate, recurrent, hidden)
      for (let i = 0; i < hidden.length; i++) hidden[i] = f!(gate[i]! + recurrentBias[i]!)
    }
  },
})
