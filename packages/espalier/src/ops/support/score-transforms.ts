/** What the ensembles and linear models of ai.onnx.ml do to a row of scores at the end. */
import { EspalierError } from '../../errors.ts'
import { erf } from './error-function.ts'

/** ONNX's names, at the number that `TreeEnsemble` gives them. */
export const scoreTransforms = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'] as const

/** The transform called `name`; throws `bad-argument` when there is none. */
export function scoreTransform(name: string | undefined): (row: readonly number[]) => readonly number[] {
  switch (name) {
    case 'NONE':
      return row => row
    case 'LOGISTIC':
      return row => row.map(value => 1 / (1 + Math.exp(-value)))
    case 'SOFTMAX':
      return row => softmax(row, () => true)
    case 'SOFTMAX_ZERO':
      // Scores that are zero stay so.
      return row => softmax(row, value => Math.abs(value) > 1e-7)
    case 'PROBIT':
      return row => row.map(probit)
    default:
      throw new EspalierError('bad-argument', 'unknown transform of scores', {
        where: { field: 'post_transform' },
        expected: scoreTransforms.join(', '),
        got: `${name}`,
      })
  }
}

function softmax(row: readonly number[], takesPart: (value: number) => boolean): readonly number[] {
  const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = row.map(value => (takesPart(value) ? Math.exp(value - largest) : 0))
  const sum = powers.reduce((total, power) => total + power, 0)
  return sum === 0 ? row.map(() => 0.5) : powers.map(power => power / sum)
}

/** Quantile of the standard normal distribution: a first guess after Winitzki, then Newton's method. */
function probit(p: number): number {
  if (!(p > 0 && p < 1))
    return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN
  const logarithm = Math.log(4 * p * (1 - p))
  const a = 2 / (Math.PI * 0.147) + logarithm / 2
  let x = Math.sign(p - 0.5) * Math.SQRT2 * Math.sqrt(Math.sqrt(a * a - logarithm / 0.147) - a)
  for (let step = 0; step < 4; step++) {
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
    if (density === 0) break
    x -= ((1 + erf(x / Math.SQRT2)) / 2 - p) / density
  }
  return x
}
