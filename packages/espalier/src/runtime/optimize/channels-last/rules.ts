/** What is done with each operator, by its full name. Those that are not here get their inputs in ONNX's order. */
import type { LayoutRule } from '../channels-last.ts'
import { axisRules } from './axes.ts'
import { elementwiseRules } from './elementwise.ts'
import { movementRules } from './movement.ts'
import { windowRules } from './windows.ts'

export const layoutRules: ReadonlyMap<string, readonly LayoutRule[]> = new Map([
  ...windowRules,
  ...elementwiseRules,
  ...axisRules,
  ...movementRules,
])
