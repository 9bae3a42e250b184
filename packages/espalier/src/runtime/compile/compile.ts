/** A stage to a plan: lower, merge what can be one pass over memory, place in memory, encode. */
import type { Graph } from '../../graph/graph.ts'
import type { Operators } from '../../ops/op.ts'
import { mergeElementwise } from '../../plan/merge-elementwise.ts'
import { assemble, type Plan } from '../../plan/plan.ts'
import { touched } from '../../plan/step.ts'
import type { Target } from '../../plan/target.ts'
import { lowerStage, type StageTimes } from './lower.ts'
import type { Stage } from './stage.ts'

/** With `times`, kernels that may do the same work are chosen by what they take on this machine; by rule without. */
export function compileStage(
  graph: Graph,
  stage: Stage,
  target: Target,
  operators: Operators,
  times?: StageTimes,
): Plan {
  const lowered = lowerStage(graph, stage, target, operators, times)
  const steps = mergeElementwise(lowered.steps, buffer => buffer.space === 'output')
  // An operator may have asked for a constant and then done without, or declined.
  const read = new Set(steps.flatMap(touched).map(({ buffer }) => buffer))
  const constants = lowered.constants.filter(({ buffer }) => read.has(buffer))
  return assemble({ target, ...lowered, steps, constants })
}
