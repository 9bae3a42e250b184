/**
 * QuantizeLinear of dequantised values that were only moved, both sides meaning the same numbers by the same bytes: the
 * movement is done on bytes. MaxPool counts, as the order of bytes is that of the numbers.
 */
import { operatorName, tensorType } from '../../../graph/graph.ts'
import type { NodeRule } from '../rule.ts'
import { dequantized, quantized, sameScale } from './quantized-value.ts'

/** Operators that move their first input; others say where. */
const movements = [
  'Reshape',
  'Transpose',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Slice',
  'Gather',
  'Expand',
  'DepthToSpace',
  'SpaceToDepth',
  'Identity',
]

export const quantizedMovement: NodeRule = {
  name: 'quantized-movement',
  at: ['QuantizeLinear'],
  apply(node, c) {
    const y = quantized(c, node)
    const moved = c.only(node.inputs[0], ...movements, ...(c.opset >= 12 ? ['MaxPool'] : []), 'Concat')
    if (y === undefined || moved === undefined || moved.outputs.length > 1) return undefined
    const count = operatorName(moved) === 'Concat' ? moved.inputs.length : 1
    const sources: string[] = []
    for (const name of moved.inputs.slice(0, count)) {
      const x = dequantized(c, name)
      if (x === undefined || !sameScale(c, x, y)) return undefined
      sources.push(x.value)
    }
    const draft = c.draft()
    const output = node.outputs[0]!
    draft.add({ ...moved, inputs: [...sources, ...moved.inputs.slice(count)], outputs: [output] })
    draft.state(output, tensorType(y.dtype, c.shape(output)))
    return draft.done()
  },
}
