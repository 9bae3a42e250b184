/** Why a weight with zeros runs on the kernel that it does, in a line for explanations. */
import type { Choice, Contest, Entry } from './choice.ts'
import { DENSE } from './choice.ts'

/** The weight: how many numbers it has, and how many of them are not zero. */
export interface WeightFacts {
  readonly numbers: number
  readonly nonzero: number
}

/** Sparsity, what each kernel takes, the one that is used and from which sparsity on a layout would be. */
export function explainChoice(weight: WeightFacts, contest: Contest, { entries, winner }: Choice): string {
  const parts = [`${percent(1 - weight.nonzero / weight.numbers)} zeros`]
  if (entries.length > 0) parts.push(entries.map(describe).join(', '))
  const how = contest.builtIn ? 'by built-in figures' : 'as predicted'
  if (contest.use === 'always') parts.push(`${winner.name}, since sparse kernels are asked for`)
  else parts.push(`${winner.name} is quickest, ${winner.measured === undefined ? how : 'as timed here'}`)
  const pays = contest.use === 'always' ? undefined : breakEvenText(contest)
  if (pays !== undefined) parts.push(pays)
  return parts.join('; ')
}

/** A kernel, the share of units that it multiplies by, and its time. */
function describe({ candidate, name, kept, atLeast, predicted, measured }: Entry): string {
  const share =
    candidate === undefined
      ? ''
      : ` with ${atLeast ? 'at least ' : ''}${percent(kept / candidate.cut.units)} of the ${candidate.layout.unit}`
  const seen = measured === undefined ? '' : `, ${milliseconds(measured)} ms timed`
  return `${name}${share} ${milliseconds(predicted)} ms${seen}`
}

/** From which share of zero units on the best layout of each unit is predicted to be quicker than the dense kernel. */
export function breakEvens({ candidates }: Contest): { readonly unit: string; readonly sparsity: number }[] {
  const least = new Map<string, number>()
  for (const { layout, cut, most, seconds } of candidates) {
    // Nothing to tell of a kernel that takes as long whatever is zero.
    if (most < 0 || seconds(0) === seconds(cut.units)) continue
    const sparsity = 1 - most / cut.units
    least.set(layout.unit, Math.min(sparsity, least.get(layout.unit) ?? 1))
  }
  return Array.from(least, ([unit, sparsity]) => ({ unit, sparsity }))
}

function breakEvenText(contest: Contest): string | undefined {
  const found = breakEvens(contest)
  if (contest.candidates.every(({ most }) => most < 0))
    return `no sparse kernel is quicker than the ${DENSE} one`
  if (found.length === 0) return undefined
  const each = found.map(({ unit, sparsity }) =>
    found.length === 1 && unit === 'numbers' ? percent(sparsity) : `${percent(sparsity)} of the ${unit}`,
  )
  return `sparse kernels pay from ${each.join(' or ')} zero on`
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
const milliseconds = (seconds: number): string => (1000 * seconds).toPrecision(3)
