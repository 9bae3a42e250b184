/**
 * Triangular filters on the mel scale, mel(f) = 2595 log10(1 + f/700). Edges are rounded down to bins of the spectrum,
 * and are spaced by the range over bins + 2 (not + 1): so ONNX's definition has it.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, floorDivideDims } from '../../graph/dim.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { floats, int, numeric } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { outputSize } from '../support/movement.ts'
import { readDtype } from '../support/precision.ts'
import { single } from '../support/scalars.ts'

const melOf = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700)
const hertzOf = (mel: number): number => 700 * (10 ** (mel / 2595) - 1)

export const MelWeightMatrix: Op = {
  name: 'MelWeightMatrix',
  doc: 'Matrix that turns a one-sided spectrum into mel bands when multiplied from the right.',
  versions: {
    17: {
      inputs: [
        'num_mel_bins: T1',
        'dft_length: T1',
        'sample_rate: T1',
        'lower_edge_hertz: T2',
        'upper_edge_hertz: T2',
      ],
      outputs: ['output: T3'],
      types: { T1: ['int32', 'int64'], T2: floats, T3: numeric },
      attributes: { output_datatype: int(1) },
    },
  },
  infer(c) {
    const [bands, length] = [c.content(0)?.[0] ?? null, c.content(1)?.[0] ?? null]
    const bins = addDims(floorDivideDims(length, 2), 1)
    return [typed(readDtype(c.attributes, 'output_datatype', numeric), [bins, bands])]
  },
  evaluate(c) {
    const bands = single(c.tensor(0), 'num_mel_bins')
    const length = single(c.tensor(1), 'dft_length')
    const rate = single(c.tensor(2), 'sample_rate')
    const [low, high] = [single(c.tensor(3), 'lower_edge_hertz'), single(c.tensor(4), 'upper_edge_hertz')]
    if (!(bands >= 1 && length >= 1 && rate >= 1 && low >= 0 && low <= high))
      throw new EspalierError('bad-argument', 'not a range of frequencies to divide into mel bands', {
        expected: 'positive counts, and 0 <= lower edge <= upper edge',
        got: `${bands} bands, length ${length}, rate ${rate}, edges ${low} and ${high}`,
      })
    const bins = Math.floor(length / 2) + 1
    const weights = allocate('float64', outputSize('float64', [bins, bands]))
    const spacing = (melOf(high) - melOf(low)) / (bands + 2)
    const edge = (index: number): number =>
      Math.floor(((length + 1) * hertzOf(index * spacing + melOf(low))) / rate)
    if (edge(bands) >= bins || edge(bands + 1) > bins)
      throw new EspalierError('bad-argument', 'the mel bands reach beyond the spectrum', {
        expected: `an upper edge up to ${rate / 2}, half the sample rate`,
        got: `${high}`,
      })
    for (let band = 0; band < bands; band++) {
      const [left, center, right] = [edge(band), edge(band + 1), edge(band + 2)]
      for (let bin = left; bin < right; bin++)
        weights[bin * bands + band] =
          bin < center ? (bin - left) / (center - left) : (right - bin) / (right - center)
      weights[center * bands + band] = 1
    }
    return [
      fromNumbers(readDtype(c.attributes, 'output_datatype', numeric) ?? 'float32', [bins, bands], weights),
    ]
  },
}
