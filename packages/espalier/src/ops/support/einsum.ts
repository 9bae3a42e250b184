/**
 * Einstein summation: reading an equation, and contracting operands two at a time, left to right. A contraction of
 * two is brought to one batch of matrix products, so that there is no loop over indices here. Axes of extent 1 are
 * dropped from the operands first; what is left then broadcasts by itself.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, productOfDims, sameDim } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { bigints, numbers } from '../../tensor/elements.ts'
import { formatShape, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { reshape, type Tensor, tensor } from '../../tensor/tensor.ts'
import { matMulIntegers, matMulNumbers } from './matmul.ts'
import { copyStrided } from './movement.ts'

/** An index of an equation: a letter, or `.0`, `.1`... for the axes that an ellipsis stands for. */
type Label = string

export interface Equation {
  /** The label of every axis, for every operand. */
  readonly operands: readonly (readonly Label[])[]
  readonly output: readonly Label[]
}

/** Reads an equation for operands of the given ranks. Throws `bad-argument` on bad text, `bad-shape` on ranks that do not fit. */
export function parseEquation(equation: string, ranks: readonly number[]): Equation {
  const text = equation.replaceAll(' ', '')
  const wrong = (what: string): EspalierError =>
    new EspalierError('bad-argument', `${what} in the equation "${equation}"`, {
      expected: 'terms of letters, each with at most one "...", as in "bij,bjk->bik"',
    })
  const [left = '', right, ...rest] = text.split('->')
  if (rest.length > 0) throw wrong('more than one "->"')
  const terms = left.split(',')
  for (const term of right === undefined ? terms : [...terms, right])
    if (!/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term)) throw wrong(`"${term}" is no term`)
  if (terms.length !== ranks.length)
    throw new EspalierError('bad-argument', `the equation "${equation}" does not fit the operands`, {
      expected: `${terms.length} operands`,
      got: `${ranks.length}`,
    })
  const dots = dotted(equation, terms, ranks)
  const expand = (term: string): Label[] =>
    (term.match(/\.\.\.|[A-Za-z]/g) ?? []).flatMap(part => (part === '...' ? dots : part))
  const operands = terms.map(expand)
  const output = right === undefined ? [...dots, ...lettersOnce(left)] : expand(right)
  const known = new Set(operands.flat())
  for (const [position, label] of output.entries()) {
    if (!known.has(label)) throw wrong(`the output index "${label}" is in no operand`)
    if (output.indexOf(label) !== position) throw wrong(`the output index "${label}" is repeated`)
  }
  return { operands, output }
}

/** Labels of the axes that the ellipses stand for, the same number everywhere. */
function dotted(equation: string, terms: readonly string[], ranks: readonly number[]): Label[] {
  let count: number | undefined
  for (const [index, term] of terms.entries()) {
    const letters = term.replace('...', '').length
    const extra = ranks[index]! - letters
    const fits = term.includes('...') ? extra >= 0 && extra === (count ?? extra) : extra === 0
    if (!fits)
      throw new EspalierError(
        'bad-shape',
        `operand ${index} does not fit "${term}" in the equation "${equation}"`,
        {
          expected: term.includes('...')
            ? `rank ${letters + (count ?? 0)}${count === undefined ? ' or more' : ''}`
            : `rank ${letters}`,
          got: `rank ${ranks[index]}`,
        },
      )
    if (term.includes('...')) count = extra
  }
  return Array.from({ length: count ?? 0 }, (_, i) => `.${i}`)
}

/** Letters that appear exactly once, in ASCII order: the output when none is written. */
function lettersOnce(text: string): Label[] {
  const letters: readonly Label[] = text.match(/[A-Za-z]/g) ?? []
  return letters.filter(letter => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort()
}

/** The extent of every label. An extent of 1 broadcasts. Throws `bad-shape` on a sure misfit. */
export function extentsOf<D extends Dim>(
  { operands }: Equation,
  shapes: readonly (readonly D[])[],
): Map<Label, D> {
  const extents = new Map<Label, D>()
  for (const [index, labels] of operands.entries())
    for (const [axis, label] of labels.entries()) {
      const extent = shapes[index]![axis]!
      const before = extents.get(label)
      if (before === undefined || before === 1) extents.set(label, extent)
      else if (extent === 1 || sameDim(extent, before)) continue
      else if (typeof extent === 'number' && typeof before === 'number')
        throw new EspalierError('bad-shape', `operand ${index} has another extent for the index "${label}"`, {
          expected: `${before}`,
          got: `${extent} in ${formatShape(shapes[index]!)}`,
        })
      // A number wins over an unknown; two different unknowns stay unknown.
      else
        extents.set(
          label,
          (typeof extent === 'number' ? extent : typeof before === 'number' ? before : null) as D,
        )
    }
  return extents
}

/** How two operands are contracted when only the labels in `kept` are needed afterwards. */
interface Contraction {
  /** In one operand only, and not needed: summed beforehand. */
  readonly loose: readonly Label[]
  /** In both, and needed. */
  readonly batch: readonly Label[]
  /** In both, and summed. */
  readonly inner: readonly Label[]
  /** In the left one only, and in the right one only. */
  readonly rows: readonly Label[]
  readonly columns: readonly Label[]
}

function planContraction(
  left: readonly Label[],
  right: readonly Label[],
  kept: ReadonlySet<Label>,
): Contraction {
  const shared = left.filter(label => right.includes(label))
  const own = [...left, ...right].filter(label => !shared.includes(label))
  return {
    loose: own.filter(label => !kept.has(label)),
    batch: shared.filter(label => kept.has(label)),
    inner: shared.filter(label => !kept.has(label)),
    rows: left.filter(label => !shared.includes(label) && kept.has(label)),
    columns: right.filter(label => !shared.includes(label) && kept.has(label)),
  }
}

/** Labels needed after operand `index` has been taken in. */
function neededAfter({ operands, output }: Equation, index: number): Set<Label> {
  return new Set([...output, ...operands.slice(index + 1).flat()])
}

/** Multiply-accumulates of all contractions. */
export function einsumMacs(equation: Equation, extents: ReadonlyMap<Label, Dim>): Dim {
  let macs: Dim = 0
  let labels = unique(equation.operands[0]!)
  for (let i = 1; i < equation.operands.length; i++) {
    const { batch, inner, rows, columns } = planContraction(
      labels,
      unique(equation.operands[i]!),
      neededAfter(equation, i),
    )
    labels = [...batch, ...rows, ...columns]
    macs = addDims(macs, productOfDims([...labels, ...inner].map(label => extents.get(label)!)))
  }
  return macs
}

function unique(labels: readonly Label[]): Label[] {
  return [...new Set(labels)]
}

/** A tensor of float64 or int64 seen through strides, its axes labelled; no label twice. */
interface Term {
  readonly source: Tensor<'float64'> | Tensor<'int64'>
  readonly labels: readonly Label[]
  readonly strides: readonly number[]
  readonly extents: ReadonlyMap<Label, number>
}

/** The operands contracted to the output, in float64, or in int64 modulo 2^64 when `exact`. */
export function contract(equation: Equation, operands: readonly Tensor[], exact: boolean): Tensor {
  const extents = extentsOf(
    equation,
    operands.map(({ shape }) => shape),
  )
  const terms = operands.map((operand, index) => termOf(operand, equation.operands[index]!, extents, exact))
  const result = terms.reduce((left, right, index) => contractPair(left, right, neededAfter(equation, index)))
  const output = equation.output.filter(label => result.labels.includes(label))
  const shape = equation.output.map(label => extents.get(label)!)
  return reshape(
    arranged(
      sumOut(
        result,
        result.labels.filter(label => !output.includes(label)),
      ),
      [output],
    ),
    shape,
  )
}

/** An operand without its axes of extent 1, repeated labels running along the diagonal. */
function termOf(
  operand: Tensor,
  axes: readonly Label[],
  extents: ReadonlyMap<Label, number>,
  exact: boolean,
): Term {
  const steps = stridesOf(operand.shape)
  const strides = new Map<Label, number>()
  for (const [axis, label] of axes.entries())
    if (operand.shape[axis] !== 1) strides.set(label, (strides.get(label) ?? 0) + steps[axis]!)
  const size = sizeOf(operand.shape)
  const source = exact
    ? tensor('int64', [size], BigInt64Array.from(bigints(operand)))
    : tensor('float64', [size], numbers(operand))
  return { source, labels: [...strides.keys()], strides: [...strides.values()], extents }
}

function contractPair(left: Term, right: Term, kept: ReadonlySet<Label>): Term {
  const { loose, batch, inner, rows, columns } = planContraction(left.labels, right.labels, kept)
  const a = arranged(
    sumOut(
      left,
      left.labels.filter(label => loose.includes(label)),
    ),
    [batch, rows, inner],
  )
  const b = arranged(
    sumOut(
      right,
      right.labels.filter(label => loose.includes(label)),
    ),
    [batch, inner, columns],
  )
  const labels = [...batch, ...rows, ...columns]
  const shape = labels.map(label => left.extents.get(label)!)
  return { source: product(a, b), labels, strides: stridesOf(shape), extents: left.extents }
}

/** The sum over `labels`: the contraction with ones. */
function sumOut(term: Term, labels: readonly Label[]): Term {
  if (labels.length === 0) return term
  const size = sizeOf(labels.map(label => term.extents.get(label)!))
  const source =
    term.source.dtype === 'int64'
      ? tensor('int64', [size], new BigInt64Array(size).fill(1n))
      : tensor('float64', [size], new Float64Array(size).fill(1))
  const strides = stridesOf(labels.map(label => term.extents.get(label)!))
  const ones: Term = { source, labels, strides, extents: term.extents }
  return contractPair(term, ones, new Set(term.labels.filter(label => !labels.includes(label))))
}

/** A dense copy with one axis for each group of labels, in the order given. */
function arranged(
  { source, labels, strides, extents }: Term,
  groups: readonly (readonly Label[])[],
): Term['source'] {
  const order = groups.flat()
  const sizes = (group: readonly Label[]): Shape => group.map(label => extents.get(label)!)
  const dense = copyStrided(
    source,
    sizes(order),
    order.map(label => strides[labels.indexOf(label)]!),
  )
  return reshape(
    dense,
    groups.map(group => sizeOf(sizes(group))),
  ) as Term['source']
}

function product(a: Term['source'], b: Term['source']): Term['source'] {
  if (a.dtype === 'int64' && b.dtype === 'int64') {
    const { shape, values } = matMulIntegers(a.data, a.shape, b.data, b.shape)
    return tensor('int64', shape, values)
  }
  const { shape, values } = matMulNumbers(numbers(a), a.shape, numbers(b), b.shape)
  return tensor('float64', shape, values)
}
