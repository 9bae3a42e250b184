/** Short-time Fourier transform: of overlapping frames of a signal, each under a window. */
import { EspalierError } from '../../errors.ts'
import { addDims, differentDims, floorDivideDims, subtractDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Attributes, InferContext, Op } from '../op.ts'
import { floats, int } from '../schema.ts'
import { fourierTransform } from '../support/fourier.ts'
import { typed } from '../support/infer.ts'
import { outputSize } from '../support/movement.ts'
import { single } from '../support/scalars.ts'

export const STFT: Op = {
  name: 'STFT',
  doc: 'Fourier transforms of frames of a signal that start every `frame_step` samples.',
  versions: {
    17: {
      inputs: ['signal: T1', 'frame_step: T2', 'window?: T1', 'frame_length?: T2'],
      outputs: ['output: T1'],
      types: { T1: floats, T2: ['int32', 'int64'] },
      attributes: { onesided: int(1) },
    },
  },
  infer: c => [typed(c.dtype(0), inferShape(c))],
  evaluate(c) {
    const signal = c.tensor(0)
    const parts = partsOf(signal.shape, c.attributes)
    const [batch, samples] = [signal.shape[0]!, signal.shape[1]!]
    const step = single(c.tensor(1), 'frame_step')
    const windowInput = c.optionalTensor(2)
    const lengthInput = c.optionalTensor(3)
    const length = frameLength(
      samples,
      windowInput?.shape,
      lengthInput && single(lengthInput, 'frame_length'),
    )
    const [frames, bins] = [frameCount(samples, length, step), binsOf(length, c.attributes)]
    const shape = [batch, frames, bins, 2]
    const y = allocate('float64', outputSize('float64', shape))
    const x = numbers(signal)
    const window = windowInput && numbers(windowInput)
    const transform = fourierTransform(length)
    const [re, im] = [new Float64Array(length), new Float64Array(length)]
    for (let n = 0; n < batch; n++)
      for (let frame = 0; frame < frames; frame++) {
        const start = n * samples + frame * step
        for (let i = 0; i < length; i++) {
          const weight = window === undefined ? 1 : window[i]!
          re[i] = x[(start + i) * parts]! * weight
          im[i] = parts === 2 ? x[(start + i) * parts + 1]! * weight : 0
        }
        transform(re, im)
        const at = (n * frames + frame) * bins
        for (let bin = 0; bin < bins; bin++) {
          y[2 * (at + bin)] = re[bin]!
          y[2 * (at + bin) + 1] = im[bin]!
        }
      }
    return [fromNumbers(signal.dtype, shape, y)]
  },
}

/** Numbers a sample: 2 for complex signals. */
function partsOf(shape: readonly number[], attributes: Attributes): number
function partsOf(shape: readonly Dim[], attributes: Attributes): Dim
function partsOf(shape: readonly Dim[], attributes: Attributes): Dim {
  const parts = shape.length === 2 ? 1 : (shape[2] ?? null)
  const onesided = attributes.int('onesided') !== 0
  const wrong = onesided ? differentDims(parts, 1) : differentDims(parts, 1) && differentDims(parts, 2)
  if ((shape.length === 2 || shape.length === 3) && !wrong) return parts
  throw new EspalierError('bad-shape', 'the input is no signal', {
    expected: onesided
      ? 'batch x samples x 1; only a spectrum of a real signal is one-sided'
      : 'batch x samples x 1 or batch x samples x 2',
    got: formatShape(shape),
  })
}

/** Samples in a frame: what is given, or the window's length, or all samples. */
function frameLength<D extends Dim>(samples: D, window: readonly D[] | undefined, given: D | undefined): D {
  const length = given ?? window?.[0] ?? samples
  if (window !== undefined && (window.length !== 1 || differentDims(window[0]!, length)))
    throw new EspalierError('bad-shape', 'the window does not fit the frames', {
      expected: `${length} elements`,
      got: formatShape(window),
    })
  return length
}

function frameCount<D extends Dim>(samples: D, length: D, step: D): D {
  if (typeof step === 'number' && step < 1)
    throw new EspalierError('bad-argument', 'frames do not advance', {
      expected: 'a step of 1 or more',
      got: `${step}`,
    })
  const rest = subtractDims(samples, length)
  if (typeof rest === 'number' && rest < 0)
    throw new EspalierError('bad-shape', 'the signal is shorter than a frame', {
      expected: `${length} samples or more`,
      got: `${samples}`,
    })
  return addDims(floorDivideDims(rest, step), 1) as D
}

function binsOf<D extends Dim>(length: D, attributes: Attributes): D {
  return attributes.int('onesided') !== 0 ? (addDims(floorDivideDims(length, 2), 1) as D) : length
}

function inferShape(c: InferContext): readonly Dim[] | undefined {
  const shape = c.shape(0)
  if (shape === undefined) return undefined
  partsOf(shape, c.attributes)
  const [batch = null, samples = null] = shape
  const lengthKnown = c.hasInput(3) ? c.content(3)?.[0] : undefined
  const window = c.hasInput(2) ? (c.shape(2) ?? [null]) : undefined
  const length = c.hasInput(3) && lengthKnown === undefined ? null : frameLength(samples, window, lengthKnown)
  const frames = frameCount(samples, length, c.content(1)?.[0] ?? null)
  return [batch, frames, binsOf(length, c.attributes), 2]
}
