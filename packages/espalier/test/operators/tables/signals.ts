/** Fourier transforms, windows and spectra. */
import { numberOfDtype } from '../../../src/formats/onnx/tensor-proto.ts'
import type { Row } from '../case.ts'
import { real, scalar } from '../draw.ts'

const near = { relative: 1e-3, absolute: 2e-5 }
const int = (value: number) => scalar(value, 'int64')

const transforms: readonly Row[] = [
  {
    op: 'DFT',
    until: 19,
    dtypes: ['float32', 'float64'],
    inputs: [
      [real([2, 6, 1])],
      [real([2, 5, 2])],
      [real([1, 8, 3, 1])],
      [real([2, 6, 1]), int(4)],
      [real([2, 5, 2]), int(8)],
      [real([1, 7, 2]), int(7)],
    ],
    attributes: [{}, { inverse: 1 }],
    tolerance: near,
  },
  {
    op: 'DFT',
    until: 19,
    inputs: [
      [real([2, 6, 1])],
      [real([2, 5, 1])],
      [real([2, 6, 1]), int(4)],
      [real([2, 5, 1]), int(9)],
      [real([1, 4, 3, 1])],
    ],
    attributes: [{ onesided: 1 }],
    tolerance: near,
  },
  {
    op: 'DFT',
    until: 19,
    inputs: [[real([2, 3, 4, 1])], [real([2, 3, 4, 2])], [real([2, 3, 4, 2]), int(5)]],
    attributes: [{ axis: 2 }, { axis: -2 }, { axis: -3 }, { axis: 0 }, { axis: 2, inverse: 1 }],
    tolerance: near,
  },
  {
    op: 'DFT',
    since: 20,
    dtypes: ['float32', 'float64'],
    inputs: [
      [real([2, 6, 1])],
      [real([2, 5, 2])],
      [real([2, 6, 1]), int(4)],
      [real([2, 5, 2]), int(8)],
      [real([2, 3, 4, 2]), undefined, int(1)],
      [real([2, 3, 4, 1]), int(6), int(-2)],
      [real([2, 3, 4, 2]), undefined, int(0)],
    ],
    attributes: [{}, { inverse: 1 }],
    tolerance: near,
  },
  {
    op: 'DFT',
    since: 20,
    inputs: [
      [real([2, 6, 1])],
      [real([2, 5, 1]), int(9)],
      [real([2, 3, 4, 1]), undefined, int(1)],
      [real([2, 3, 4, 1]), int(3), int(-2)],
    ],
    attributes: [{ onesided: 1 }],
    tolerance: near,
  },
  {
    op: 'DFT',
    inputs: [[real([2, 4, 2])], [real([2, 5, 2])]],
    attributes: [{ onesided: 1, inverse: 1 }],
    tolerance: near,
  },
  {
    op: 'STFT',
    dtypes: ['float32', 'float64'],
    inputs: [
      [real([1, 20, 1]), int(4), undefined, int(8)],
      [real([2, 20, 1]), int(3), real([6]), int(6)],
      [real([2, 20, 1]), int(3), real([7])],
      [real([1, 17, 1]), int(5), real([8]), int(8)],
      [real([1, 8, 1]), int(5), real([8]), int(8)],
    ],
    attributes: [{}, { onesided: 0 }],
    tolerance: near,
  },
  {
    op: 'STFT',
    inputs: [
      [real([1, 20, 2]), int(4), real([8]), int(8)],
      [real([2, 16, 2]), int(3), undefined, int(5)],
    ],
    attributes: [{ onesided: 0 }],
    tolerance: near,
  },
  {
    op: ['HannWindow', 'HammingWindow', 'BlackmanWindow'],
    inputs: [[scalar(10, 'int64')], [scalar(7, 'int32')], [int(2)], [int(1)]],
    attributes: [
      {},
      { periodic: 0 },
      { output_datatype: numberOfDtype('float64') },
      { output_datatype: numberOfDtype('float64'), periodic: 0 },
      { output_datatype: numberOfDtype('int64') },
      { output_datatype: numberOfDtype('float16') },
    ],
  },
  {
    op: 'MelWeightMatrix',
    dtypes: ['float32', 'float64'],
    inputs: [
      [int(8), int(16), int(8192), scalar(0), scalar(4096)],
      [scalar(5, 'int32'), scalar(33, 'int32'), scalar(16000, 'int32'), scalar(20), scalar(7600)],
      [int(4), int(20), int(44100), scalar(125), scalar(7500)],
      [int(40), int(32), int(8000), scalar(0), scalar(4000)],
    ],
    attributes: [{}, { output_datatype: numberOfDtype('float64') }],
  },
]

export const signals: readonly Row[] = transforms
