/** Plans in words: what runs without a kernel and why, then every step. */
import type { Plan } from '../plan/plan.ts'
import { describePlan } from './profile.ts'

/** `alone` names nodes that no plan could hold, since shapes after them depend on data. */
export function explainPlans(plans: readonly Plan[], alone: readonly string[]): string {
  const rows = plans.flatMap(describePlan)
  const slow = rows.filter(({ reason }) => reason !== undefined)
  const lines: string[] = []
  for (const { nodes, reason } of slow) lines.push(`no kernel: ${nodes.join(', ')}: ${reason}`)
  for (const name of alone) lines.push(`outside a plan: ${name}: what it gives depends on data`)
  if (lines.length === 0) lines.push('every operator runs on kernels')
  const target = plans[0]?.target
  const bytes = plans.reduce((sum, plan) => sum + plan.arenaBytes, 0)
  if (target !== undefined)
    lines.push(
      `${rows.length} steps on ${target.isa}, ${target.threads} thread${target.threads === 1 ? '' : 's'}; ${(bytes / 2 ** 20).toFixed(1)} MiB of activations`,
    )
  for (const { kind, nodes, note } of rows)
    lines.push(`  ${kind.padEnd(22)} ${nodes.join(', ')}${note === undefined ? '' : ` (${note})`}`)
  return lines.join('\n')
}
