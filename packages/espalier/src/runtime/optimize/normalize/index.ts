/** Rules that bring the many spellings of one thing to one form, in the order in which they are tried at a node. */
import type { NodeRule } from '../rule.ts'
import { attention } from './attention.ts'
import { attentionCache } from './attention-cache.ts'
import { attentionInputs } from './attention-inputs.ts'
import { attentionOnnx } from './attention-onnx.ts'
import { attentionOutput } from './attention-output.ts'
import { batchNormConv } from './batch-norm-conv.ts'
import { castCast } from './cast-cast.ts'
import { convAffine } from './conv-affine.ts'
import { convBatchNorm } from './conv-batch-norm.ts'
import { divide } from './divide.ts'
import { gatherTranspose } from './gather-transpose.ts'
import { gelu } from './gelu.ts'
import { geluTanh } from './gelu-tanh.ts'
import { gemm } from './gemm.ts'
import { hardSigmoid } from './hard-sigmoid.ts'
import { hardSwish } from './hard-swish.ts'
import { layerNorm } from './layer-norm.ts'
import { layerNormExpanded } from './layer-norm-expanded.ts'
import { matmulBias } from './matmul-bias.ts'
import { mish } from './mish.ts'
import { noOp } from './no-op.ts'
import { normAffine } from './norm-affine.ts'
import { padWindow } from './pad-window.ts'
import { reluN } from './relu-n.ts'
import { reshapeMatmul } from './reshape-matmul.ts'
import { reshapeReshape } from './reshape-reshape.ts'
import { rmsNorm } from './rms-norm.ts'
import { shapeFromInputs } from './shape.ts'
import { silu } from './silu.ts'
import { softplus } from './softplus.ts'
import { transposeTranspose } from './transpose-transpose.ts'

export const normalizeRules: readonly NodeRule[] = [
  noOp,
  castCast,
  transposeTranspose,
  reshapeReshape,
  gatherTranspose,
  shapeFromInputs,
  // Functions of one value
  gelu,
  geluTanh,
  silu,
  hardSwish,
  hardSigmoid,
  mish,
  softplus,
  reluN,
  // Norms
  layerNorm,
  layerNormExpanded,
  rmsNorm,
  normAffine,
  // Convolutions
  convBatchNorm,
  convAffine,
  batchNormConv,
  padWindow,
  // Products
  gemm,
  matmulBias,
  reshapeMatmul,
  // Attention
  attention,
  attentionOnnx,
  attentionOutput,
  attentionInputs,
  attentionCache,
  divide,
]
