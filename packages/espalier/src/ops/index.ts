/** Operators: what they take, what they give, what they compute. */
import * as espalier from './espalier/index.ts'
import * as onnx from './onnx/index.ts'
import type { Op, Operators } from './op.ts'
import { operatorsOf } from './registry.ts'

/** The operators that come with the library. */
export const operators: Operators = operatorsOf([...Object.values<Op>(onnx), ...Object.values<Op>(espalier)])

export { readAttributes } from './attributes.ts'
export * from './op.ts'
export * from './registry.ts'
export * from './schema.ts'
