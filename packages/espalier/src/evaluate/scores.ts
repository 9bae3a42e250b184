/**
 * Counting what a model gets right, batch by batch: its classes against labels, and its outputs against those of another
 * model. Nothing of a batch is kept but sums, which are float64.
 */
import { EspalierError } from '../errors.ts'
import { isFloat, isInteger } from '../tensor/dtype.ts'
import { numbers } from '../tensor/elements.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../tensor/tensor.ts'

/** Share of labelled rows that a model is right about, 0 to 1. */
export interface Accuracy {
  /** Rows with a label: one below zero, as the -100 of torch, says that there is none. */
  readonly rows: number
  /** Rows whose label has the largest score; of equal scores the first counts as the largest. */
  readonly top1: number
  /** Rows whose label is among the five largest scores; where there are ten classes or more. */
  readonly top5?: number
}

/** How close the outputs of a model are to those of another. */
export interface Agreement {
  /** Share of rows in which both have the same class; absent where no output is known to hold scores of classes. */
  readonly top1?: number
  /** Of every output with numbers, by name: |y - z| / |z| in the Euclidean norm over all rows, z being the other model's. */
  readonly relativeError: Readonly<Record<string, number>>
}

/** Fewest classes for which the five best say something. */
const MANY_CLASSES = 10

/** Running count of {@link Accuracy}. */
export interface AccuracyCount {
  add(scores: Tensor, labels: Tensor): void
  result(): Accuracy
}

export function accuracyCount(): AccuracyCount {
  let rows = 0
  let first = 0
  let five = 0
  let classes = 0
  return {
    add(scores, labels) {
      classes = classesOf(scores)
      const values = numbers(scores)
      const wanted = labelsFor(scores, labels, classes)
      for (const [row, label] of wanted.entries()) {
        if (label < 0) continue
        rows++
        const rank = rankOf(values, row * classes, classes, label)
        if (rank < 1) first++
        if (rank < 5) five++
      }
    },
    result: () => ({
      rows,
      top1: rows === 0 ? Number.NaN : first / rows,
      ...(classes >= MANY_CLASSES && { top5: rows === 0 ? Number.NaN : five / rows }),
    }),
  }
}

/** Whether an output can be scores of classes, one row for each row of data. */
export function mayBeScores(value: RuntimeValue | undefined): value is Tensor {
  return isTensor(value) && isFloat(value.dtype) && value.shape.length === 2 && value.shape[1]! > 1
}

function classesOf(scores: Tensor): number {
  const classes = scores.shape.at(-1)
  if (classes !== undefined && classes > 1 && isFloat(scores.dtype)) return classes
  throw new EspalierError('bad-shape', 'the output does not hold a score for every class', {
    expected: 'floats, with two classes or more along the last axis',
    got: `${scores.dtype} ${formatShape(scores.shape)}`,
    hint: 'Name another output of the model',
  })
}

/** The labels as numbers. Throws unless they are classes, one for each row of scores. */
function labelsFor(scores: Tensor, labels: Tensor, classes: number): Float64Array {
  const values = isInteger(labels.dtype) || isFloat(labels.dtype) ? numbers(labels) : undefined
  const bad = values?.find(label => !Number.isInteger(label) || label >= classes)
  if (values === undefined || bad !== undefined)
    throw new EspalierError('bad-argument', 'a label is no class of the model', {
      expected: `whole numbers below ${classes}`,
      got: bad === undefined ? labels.dtype : `${bad}`,
    })
  const rows = numbers(scores).length / classes
  if (values.length === rows) return values
  throw new EspalierError('bad-shape', 'there is not one label for every row of scores', {
    expected: `${rows}`,
    got: `labels of shape ${formatShape(labels.shape)}`,
  })
}

/** How many classes come before one; all of them where its score is a NaN. */
function rankOf(values: Float64Array, start: number, classes: number, wanted: number): number {
  const own = values[start + wanted]!
  if (Number.isNaN(own)) return classes
  let before = 0
  for (let k = 0; k < classes; k++) {
    const other = values[start + k]!
    if (other > own || (other === own && k < wanted)) before++
  }
  return before
}

/** Running count of {@link Agreement}. */
export interface AgreementCount {
  /** `scores` is the output that holds scores of classes, if one does. */
  add(got: Outputs, expected: Outputs, scores: string | undefined): void
  result(): Agreement
}

type Outputs = Readonly<Record<string, RuntimeValue>>

export function agreementCount(): AgreementCount {
  const sums = new Map<string, { error: number; norm: number }>()
  let rows = 0
  let same = 0
  return {
    add(got, expected, scores) {
      for (const [name, wanted] of Object.entries(expected)) {
        if (!isTensor(wanted) || !isFloat(wanted.dtype)) continue
        const own = comparable(got[name], wanted, name)
        const [a, b] = [numbers(own), numbers(wanted)]
        const sum = sums.get(name) ?? { error: 0, norm: 0 }
        for (const [index, value] of b.entries()) {
          sum.error += (a[index]! - value) ** 2
          sum.norm += value ** 2
        }
        sums.set(name, sum)
        if (name !== scores) continue
        const classes = classesOf(wanted)
        for (let start = 0; start < b.length; start += classes) {
          rows++
          if (largestAt(a, start, classes) === largestAt(b, start, classes)) same++
        }
      }
    },
    result: () => ({
      ...(rows > 0 && { top1: same / rows }),
      relativeError: Object.fromEntries(
        Array.from(sums, ([name, { error, norm }]) => [name, error === 0 ? 0 : Math.sqrt(error / norm)]),
      ),
    }),
  }
}

function comparable(got: RuntimeValue | undefined, wanted: Tensor, name: string): Tensor {
  if (got !== undefined && isTensor(got) && isFloat(got.dtype) && sameShape(got.shape, wanted.shape))
    return got
  throw new EspalierError('bad-shape', 'the models do not have the same outputs', {
    where: { tensor: name },
    expected: `${wanted.dtype} ${formatShape(wanted.shape)}`,
    got: got === undefined ? 'none' : isTensor(got) ? `${got.dtype} ${formatShape(got.shape)}` : 'no tensor',
  })
}

/** The class of the largest score, the first of equal ones; a NaN is larger than every number, as in ArgMax. */
function largestAt(values: Float64Array, start: number, classes: number): number {
  let best = 0
  for (let k = 0; k < classes; k++) {
    const value = values[start + k]!
    if (Number.isNaN(value)) return k
    if (value > values[start + best]!) best = k
  }
  return best
}
