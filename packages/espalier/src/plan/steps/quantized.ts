/**
 * Arithmetic on 8-bit integers: products of matrices and convolutions with exact 32-bit sums, what is done with the sums
 * (kept, dequantised, requantised), and the steps between float32 and 8 bits. Operands with scales and zero points are
 * the inputs of the ONNX operators as they are: a scalar, or one for each column, constant or not.
 *
 * Activations are *prepared*: rows in the form that the machine multiplies (kernels/simd8.hpp), which `prepare_i8` and
 * `dynamic_quantize` write; unsigned bytes in multiples of four are in that form already on AVX-512 VNNI and AMX.
 */
import type { StepSpec } from '../fields.ts'
import { bitmaskCutFields, fewRowsFields } from './bitmask-cut.ts'
import { sparseCutFields } from './sparse-cut.ts'

/** Bytes of a sum as it leaves a step, by code: s32, f32, u8, s8. */
const outputBytes = [4, 4, 1, 1] as const

/** What the sums become; shared by all products. */
const sumFields = {
  /** Zero points: one of the activations, `wZeros` (1 or one a column) of the weights. */
  xZero: 'in?',
  wZero: 'in?',
  wZeros: 'int',
  /** Scales: one of the activations, `wScales` (1 or one a column) of the weights. Absent: 1. */
  xScale: 'in?',
  wScale: 'in?',
  wScales: 'int',
  /** Of the result, where it is 8 bits. */
  yScale: 'in?',
  yZero: 'in?',
  /** One a column: int32, in units of xScale * wScale; or float32, added after scaling (`biasFloat` is 1). */
  bias: 'in?',
  biasFloat: 'int',
  /** float32, of the shape of a float32 result. */
  residual: 'in?',
  y: 'out',
  xSigned: 'int',
  wSigned: 'int',
  /** 0 s32, 1 f32, 2 u8, 3 s8. */
  output: 'int',
  activation: 'int',
  alpha: 'float',
  beta: 'float',
} as const

const gemmOwn = {
  x: 'in',
  w: 'in',
  scratch: 'scratch?',
  scratchBytes: 'int',
  groups: 'int',
  m: 'int',
  n: 'int',
  k: 'int',
  /** Elements between rows of x, and between groups of x (0 where all share one). */
  xStride: 'int',
  xGroup: 'int',
} as const
const gemmFields: typeof sumFields & typeof gemmOwn = { ...sumFields, ...gemmOwn }

const convOwn = {
  x: 'in',
  w: 'in',
  scratch: 'scratch',
  scratchBytes: 'int',
  batch: 'int',
  groups: 'int',
  /** Per group: channels of the input, and columns, which are channels of the output. */
  channels: 'int',
  columns: 'int',
  /** Elements between the groups of a pixel of x, whose pixels lie `groups` times that apart. */
  xGroup: 'int',
  input: 'int[2]',
  outputSize: 'int[2]',
  kernel: 'int[2]',
  strides: 'int[2]',
  pads: 'int[2]',
  dilations: 'int[2]',
} as const
const convFields: typeof sumFields & typeof convOwn = { ...sumFields, ...convOwn }

const sparseOperands = {
  x: 'in',
  /** Packed by sparse/parts.ts in steps of four numbers, with the sums of columns behind. */
  w: 'in',
  scratch: 'scratch',
  scratchBytes: 'int',
} as const
const sparseRest = {
  sumsAt: 'int',
  /** Fours that have a number that is not zero. */
  quads: 'int',
} as const
const sparseFields: typeof sumFields & typeof sparseOperands & typeof sparseCutFields & typeof sparseRest = {
  ...sumFields,
  ...sparseOperands,
  ...sparseCutFields,
  ...sparseRest,
}

/** Sums of columns, in bytes of the weight. */
const bitmaskRest = { sumsAt: 'int' } as const
const bitmaskFields: typeof sumFields & typeof bitmaskCutFields & typeof bitmaskRest = {
  ...sumFields,
  ...bitmaskCutFields,
  ...bitmaskRest,
}

const ofFourRest = {
  /** Of every four numbers at most: 1 or 2. */
  kept: 'int',
  /** Where places and sums of columns begin in the weight, in bytes. */
  placesAt: 'int',
  sumsAt: 'int',
} as const
const ofFourFields: typeof sumFields & typeof fewRowsFields & typeof ofFourRest = {
  ...sumFields,
  ...fewRowsFields,
  ...ofFourRest,
}

const depthwiseOwn = {
  x: 'in',
  w: 'in',
  scratch: 'scratch',
  scratchBytes: 'int',
  batch: 'int',
  channels: 'int',
  input: 'int[2]',
  outputSize: 'int[2]',
  kernel: 'int[2]',
  strides: 'int[2]',
  pads: 'int[2]',
  dilations: 'int[2]',
} as const
const depthwiseFields: typeof sumFields & typeof depthwiseOwn = { ...sumFields, ...depthwiseOwn }

const packFields = {
  x: 'in',
  y: 'out',
  isSigned: 'int',
  groups: 'int',
  columns: 'int',
  taps: 'int',
  channels: 'int',
  /** Elements between groups, columns, taps and channels of x. */
  groupStride: 'int',
  columnStride: 'int',
  tapStride: 'int',
  channelStride: 'int',
} as const

const packDepthwiseFields = {
  x: 'in',
  y: 'out',
  isSigned: 'int',
  channels: 'int',
  taps: 'int',
} as const

const prepareFields = {
  x: 'in',
  zero: 'in?',
  y: 'out',
  isSigned: 'int',
  rows: 'int',
  columns: 'int',
  /** Elements between rows of y. */
  stride: 'int',
} as const

const quantizeFields = {
  x: 'in',
  scale: 'in',
  zero: 'in?',
  y: 'out',
  isSigned: 'int',
  outer: 'int',
  /** One scale each; 1 when there is one for all. */
  channels: 'int',
  inner: 'int',
} as const

const dequantizeFields = {
  x: 'in',
  scale: 'in',
  zero: 'in?',
  y: 'out',
  /** 0 u8, 1 s8, 2 s32. */
  type: 'int',
  outer: 'int',
  channels: 'int',
  inner: 'int',
} as const

const dynamicQuantizeFields = {
  x: 'in',
  y: 'out',
  scale: 'out',
  zero: 'out',
  /** Smallest and largest of each chunk of 4096 elements: two float32. */
  scratch: 'scratch',
  rows: 'int',
  columns: 'int',
  /** Elements between rows of y where it is prepared; 0 where it is plain uint8. */
  stride: 'int',
} as const

const addFields = {
  a: 'in',
  aScale: 'in',
  aZero: 'in?',
  b: 'in',
  bScale: 'in',
  bZero: 'in?',
  yScale: 'in',
  yZero: 'in?',
  y: 'out',
  /** Of a, b and y; 0 or 1. */
  isSigned: 'int[3]',
  /** 0 none, 1 relu. */
  activation: 'int',
  count: 'int',
} as const

const lookupFields = {
  x: 'in',
  /** 256 entries, for the bytes 0 to 255. */
  table: 'in',
  y: 'out',
  count: 'int',
} as const

export interface QuantizedSteps {
  readonly pack_i8: StepSpec<typeof packFields>
  readonly pack_depthwise_i8: StepSpec<typeof packDepthwiseFields>
  readonly prepare_i8: StepSpec<typeof prepareFields>
  readonly gemm_i8: StepSpec<typeof gemmFields>
  readonly conv_i8: StepSpec<typeof convFields>
  readonly depthwise_i8: StepSpec<typeof depthwiseFields>
  readonly sparse_i8: StepSpec<typeof sparseFields>
  readonly bitmask_i8: StepSpec<typeof bitmaskFields>
  readonly some_of_four_i8: StepSpec<typeof ofFourFields>
  readonly quantize: StepSpec<typeof quantizeFields>
  readonly dequantize: StepSpec<typeof dequantizeFields>
  readonly dynamic_quantize: StepSpec<typeof dynamicQuantizeFields>
  readonly add_i8: StepSpec<typeof addFields>
  readonly lookup_i8: StepSpec<typeof lookupFields>
}

export const quantizedSteps: QuantizedSteps = {
  pack_i8: {
    doc: 'Weights as panels of columns, and the sum of every column: y = panels, then int32 sums.',
    fields: packFields,
    cost: s => ({ flops: 0, bytes: 2 * s.groups * s.columns * s.taps * s.channels }),
  },
  pack_depthwise_i8: {
    doc: 'Weights [channels, taps] of a depthwise convolution, two taps together, and the sum of every channel.',
    fields: packDepthwiseFields,
    cost: s => ({ flops: 0, bytes: 2 * s.channels * s.taps }),
  },
  prepare_i8: {
    doc: '8-bit rows in the form that the machine multiplies.',
    fields: prepareFields,
    cost: s => ({ flops: 0, bytes: 2 * s.rows * s.columns }),
  },
  gemm_i8: {
    doc: 'y = finish(x * w) for each group: prepared rows by packed columns, summed exactly.',
    fields: gemmFields,
    cost: s => ({
      flops: 2 * s.groups * s.m * s.n * s.k,
      bytes: s.groups * (s.m * s.k + s.k * s.n + s.m * s.n * outputBytes[s.output as 0]),
    }),
  },
  conv_i8: {
    doc: 'y = finish(x convolved by w), channels last: prepared pixels by packed columns, summed exactly.',
    fields: convFields,
    cost: s => {
      const pixels = s.batch * s.outputSize[0]! * s.outputSize[1]!
      const depth = s.channels * s.kernel[0]! * s.kernel[1]!
      return {
        flops: 2 * pixels * s.groups * s.columns * depth,
        bytes:
          s.groups *
          (s.batch * s.input[0]! * s.input[1]! * s.channels +
            s.columns * depth +
            pixels * s.columns * outputBytes[s.output as 0]),
      }
    },
  },
  depthwise_i8: {
    doc: 'y = finish(x convolved by w), channels last, every channel by itself; x is not prepared.',
    fields: depthwiseFields,
    cost: s => {
      const pixels = s.batch * s.outputSize[0]! * s.outputSize[1]!
      const taps = s.kernel[0]! * s.kernel[1]!
      return {
        flops: 2 * pixels * s.channels * taps,
        bytes:
          s.channels * (s.batch * s.input[0]! * s.input[1]! + taps + pixels * outputBytes[s.output as 0]),
      }
    },
  },
  sparse_i8: {
    doc: 'y = finish(x * w) for a w of which only the quads with a nonzero number are kept, summed exactly.',
    fields: sparseFields,
    cost: s => {
      const size = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, s.batch)
      return {
        flops: 8 * size(s.outputSize) * s.quads,
        bytes:
          6 * s.quads +
          size(s.input) * s.channels +
          size(s.outputSize) * s.outputs * outputBytes[s.output as 0],
      }
    },
  },
  bitmask_i8: {
    doc: 'y = finish(x * w) for few rows and a w of which the fours with a nonzero number are kept, with a bit for each, summed exactly.',
    fields: bitmaskFields,
    cost: s => ({
      flops: 2 * s.m * s.n * s.k,
      bytes: (s.n * s.k) / 32 + 4 * s.words + s.m * (s.k + s.n * outputBytes[s.output as 0]),
    }),
  },
  some_of_four_i8: {
    doc: 'y = finish(x * w) for few rows and a w of which one or two of every four numbers are kept, summed exactly.',
    fields: ofFourFields,
    cost: s => ({
      flops: (s.m * s.n * s.k * s.kept) / 2,
      bytes: (5 * s.n * s.k * s.kept) / 16 + s.m * (s.k + s.n * outputBytes[s.output as 0]),
    }),
  },
  quantize: {
    doc: 'y = saturate(round(x / scale) + zero), float32 to 8 bits, [outer, channels, inner].',
    fields: quantizeFields,
    cost: s => ({ flops: 0, bytes: 5 * s.outer * s.channels * s.inner }),
  },
  dequantize: {
    doc: 'y = (x - zero) * scale, integers to float32, [outer, channels, inner].',
    fields: dequantizeFields,
    cost: s => ({ flops: 0, bytes: (s.type === 2 ? 8 : 5) * s.outer * s.channels * s.inner }),
  },
  dynamic_quantize: {
    doc: 'y = round(x / scale) + zero as uint8, the scale and the zero point taken from the range of x.',
    fields: dynamicQuantizeFields,
    cost: s => ({ flops: 0, bytes: 9 * s.rows * s.columns }),
  },
  add_i8: {
    doc: 'y = quantise(act(dequantise(a) + dequantise(b))), of equal shapes.',
    fields: addFields,
    cost: s => ({ flops: s.count, bytes: 3 * s.count }),
  },
  lookup_i8: {
    doc: 'y = table[x]: any function from 8 bits to 8 bits.',
    fields: lookupFields,
    cost: s => ({ flops: 0, bytes: 2 * s.count }),
  },
}
