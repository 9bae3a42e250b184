/** A cast there and back, through a type that holds every value of the first. */
import type { DType } from '../../../tensor/dtype.ts'
import type { NodeRule } from '../rule.ts'

/** Types that hold every value of a type. */
const wider: Readonly<Partial<Record<DType, readonly DType[]>>> = {
  bool: ['uint8', 'int8', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64'],
  uint8: ['uint16', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64'],
  int8: ['int16', 'int32', 'int64', 'float16', 'float32', 'float64'],
  int16: ['int32', 'int64', 'float32', 'float64'],
  int32: ['int64', 'float64'],
  float16: ['float32', 'float64'],
  bfloat16: ['float32', 'float64'],
  float32: ['float64'],
}

export const castCast: NodeRule = {
  name: 'cast-cast',
  at: ['Cast'],
  apply(node, c) {
    const inner = c.made(node.inputs[0], 'Cast')
    const [from, through] = [c.dtype(inner?.inputs[0]), c.dtype(node.inputs[0])]
    if (from === undefined || through === undefined || from !== c.dtype(node.outputs[0])) return undefined
    return wider[from]?.includes(through) ? { same: inner!.inputs[0]! } : undefined
  },
}
