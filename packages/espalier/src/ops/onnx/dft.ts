/** Discrete Fourier transform along one axis; complex numbers are pairs in the last axis. */
import { EspalierError } from '../../errors.ts'
import { addDims, differentDims, floorDivideDims, multiplyDims, subtractDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, normalizeAxis, type Shape } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, InferContext, Op } from '../op.ts'
import { floats, int } from '../schema.ts'
import { fourierTransform, inverseFourierTransform } from '../support/fourier.ts'
import { typed } from '../support/infer.ts'
import { linesAlong } from '../support/lines.ts'
import { outputSize } from '../support/movement.ts'
import { single } from '../support/scalars.ts'

const types = { T1: floats, T2: ['int32', 'int64'] } as const
const attributes = { inverse: int(0), onesided: int(0) }

export const DFT: Op = {
  name: 'DFT',
  doc: 'Discrete Fourier transform along an axis, or its inverse; of real signals also in one-sided form.',
  versions: {
    17: {
      inputs: ['input: T1', 'dft_length?: T2'],
      outputs: ['output: T1'],
      types,
      attributes: { ...attributes, axis: int(1) },
    },
    20: {
      inputs: ['input: T1', 'dft_length?: T2', 'axis?: int64'],
      outputs: ['output: T1'],
      types,
      attributes,
    },
  },
  infer(c) {
    const shape = c.shape(0)
    return [typed(c.dtype(0), shape && inferShape(c, shape))]
  },
  evaluate(c) {
    const input = c.tensor(0)
    const mode = modeOf(c.attributes)
    checkInput(mode, input.shape)
    const axis = signalAxis(axisOf(c), input.shape.length)
    const given = c.optionalTensor(1)
    const length = given === undefined ? defaultLength(mode, input.shape[axis]!) : single(given, 'dft_length')
    const shape = shapeAfter(mode, input.shape, axis, length)
    const values = allocate('float64', outputSize('float64', shape))
    transformLines(mode, numbers(input), input.shape, values, shape, axis, length)
    return [fromNumbers(input.dtype, shape, values)]
  },
}

/** `halve`: real signal to half its spectrum; `unfold`: that half back to the real signal. */
type Mode = 'forward' | 'inverse' | 'halve' | 'unfold'

function modeOf(attributes: Attributes): Mode {
  const inverse = attributes.int('inverse') !== 0
  if (attributes.int('onesided') !== 0) return inverse ? 'unfold' : 'halve'
  return inverse ? 'inverse' : 'forward'
}

function checkInput(mode: Mode, shape: readonly Dim[]): void {
  const components = shape.at(-1) ?? null
  const [real, complex] = [!differentDims(components, 1), !differentDims(components, 2)]
  const fits = mode === 'halve' ? real : mode === 'unfold' ? complex : real || complex
  if (shape.length >= 2 && fits) return
  const last = mode === 'halve' ? '1 (a real signal)' : mode === 'unfold' ? '2 (a complex one)' : '1 or 2'
  throw new EspalierError('bad-shape', 'the input holds no signals to transform', {
    expected: `rank 2 or more, with ${last} as the last extent`,
    got: formatShape(shape),
  })
}

function axisOf(c: EvaluateContext): number {
  const input = c.optionalTensor(2)
  return input === undefined ? (c.attributes.optionalInt('axis') ?? -2) : single(input, 'the axis')
}

/** The axis counted from the front; the last one, which holds real and imaginary parts, is refused. */
function signalAxis(axis: number, rank: number): number {
  const result = normalizeAxis(axis, rank)
  if (result < rank - 1) return result
  throw new EspalierError('bad-argument', `axis ${axis} holds the real and imaginary parts`, {
    expected: `${-rank} to -2, or 0 to ${rank - 2}`,
  })
}

function defaultLength<D extends Dim>(mode: Mode, extent: D): D {
  return (mode === 'unfold' ? multiplyDims(2, subtractDims(extent, 1)) : extent) as D
}

function shapeAfter<D extends Dim>(mode: Mode, shape: readonly D[], axis: number, length: D): D[] {
  const extent = mode === 'halve' ? (addDims(floorDivideDims(length, 2), 1) as D) : length
  return shape.with(axis, extent).with(-1, (mode === 'unfold' ? 1 : 2) as D)
}

function inferShape(c: InferContext, shape: readonly Dim[]): readonly Dim[] | undefined {
  const mode = modeOf(c.attributes)
  checkInput(mode, shape)
  const components = mode === 'unfold' ? 1 : 2
  const given = c.hasInput(2) ? c.content(2)?.[0] : (c.attributes.optionalInt('axis') ?? -2)
  if (typeof given !== 'number')
    return shape.map((_, axis) => (axis === shape.length - 1 ? components : null))
  const axis = signalAxis(given, shape.length)
  const length = c.hasInput(1) ? (c.content(1)?.[0] ?? null) : defaultLength(mode, shape[axis]!)
  return shapeAfter(mode, shape, axis, length)
}

function transformLines(
  mode: Mode,
  x: Float64Array,
  from: Shape,
  y: Float64Array,
  to: Shape,
  axis: number,
  length: number,
): void {
  const transform = mode === 'inverse' || mode === 'unfold' ? inverseFourierTransform : fourierTransform
  const run = transform(length)
  const source = linesAlong(from.slice(0, -1), [axis])
  const target = linesAlong(to.slice(0, -1), [axis])
  const [parts, partsAfter] = [from.at(-1)!, to.at(-1)!]
  // The half of a spectrum that an unfolding reads; the rest follows by symmetry.
  const read = Math.min(source.steps.length, mode === 'unfold' ? Math.floor(length / 2) + 1 : length)
  const [re, im] = [new Float64Array(length), new Float64Array(length)]
  for (const [line, start] of source.starts.entries()) {
    re.fill(0)
    im.fill(0)
    for (let i = 0; i < read; i++) {
      const at = (start + source.steps[i]!) * parts
      re[i] = x[at]!
      if (parts === 2) im[i] = x[at + 1]!
    }
    if (mode === 'unfold') completeSpectrum(re, im, length)
    run(re, im)
    for (const [i, step] of target.steps.entries()) {
      const at = (target.starts[line]! + step) * partsAfter
      y[at] = re[i]!
      if (partsAfter === 2) y[at + 1] = im[i]!
    }
  }
}

/** The second half of the spectrum of a real signal; what such a spectrum cannot have is dropped. */
function completeSpectrum(re: Float64Array, im: Float64Array, length: number): void {
  im[0] = 0
  if (length % 2 === 0) im[length / 2] = 0
  for (let i = 1; i < length / 2; i++) {
    re[length - i] = re[i]!
    im[length - i] = -im[i]!
  }
}
