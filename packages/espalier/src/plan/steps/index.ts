/** Every kind of step there is. The order gives the opcodes; a family is a file beside this and two lines here. */

import { type ArgSteps, argSteps } from './arg.ts'
import { type AttentionSteps, attentionSteps } from './attention.ts'
import { type ConvSteps, convSteps } from './conv.ts'
import { type CopySteps, copySteps } from './copy.ts'
import { type DepthwiseSteps, depthwiseSteps } from './depthwise.ts'
import { type ElementwiseSteps, elementwiseSteps } from './elementwise.ts'
import { type GatherSteps, gatherSteps } from './gather.ts'
import { type GemmSteps, gemmSteps } from './gemm.ts'
import { type NormalizeSteps, normalizeSteps } from './normalize.ts'
import { type PadSteps, padSteps } from './pad.ts'
import { type PoolSteps, poolSteps } from './pool.ts'
import { type QuantizedSteps, quantizedSteps } from './quantized.ts'
import { type RecurrentSteps, recurrentSteps } from './recurrent.ts'
import { type ReduceSteps, reduceSteps } from './reduce.ts'
import { type ResizeSteps, resizeSteps } from './resize.ts'
import { type ScatterSteps, scatterSteps } from './scatter.ts'
import { type SoftmaxSteps, softmaxSteps } from './softmax.ts'
import { type SparseSteps, sparseSteps } from './sparse.ts'
import { type WinogradSteps, winogradSteps } from './winograd.ts'

export interface StepTable
  extends CopySteps,
    ElementwiseSteps,
    GemmSteps,
    ConvSteps,
    WinogradSteps,
    DepthwiseSteps,
    PoolSteps,
    QuantizedSteps,
    GatherSteps,
    PadSteps,
    ResizeSteps,
    ScatterSteps,
    ArgSteps,
    AttentionSteps,
    NormalizeSteps,
    ReduceSteps,
    SoftmaxSteps,
    SparseSteps,
    RecurrentSteps {}

export const steps: StepTable = {
  ...copySteps,
  ...elementwiseSteps,
  ...gemmSteps,
  ...convSteps,
  ...winogradSteps,
  ...depthwiseSteps,
  ...poolSteps,
  ...quantizedSteps,
  ...gatherSteps,
  ...padSteps,
  ...resizeSteps,
  ...scatterSteps,
  ...argSteps,
  ...attentionSteps,
  ...normalizeSteps,
  ...reduceSteps,
  ...softmaxSteps,
  ...sparseSteps,
  ...recurrentSteps,
}

export type StepKind = keyof StepTable
