/** Smaller models: pruning by magnitude to patterns, quantisation of weights and activations, and what it comes to in bytes. */

export { batchesOf } from '../runtime/batches.ts'
export { type Analysis, type AnalyzedLayer, type AnalyzeOptions, analyze } from './analyze/analyze.ts'
export {
  type BreakEven,
  breakEven,
  type Sweep,
  type SweepOptions,
  type SweptLayer,
  sweepLayer,
} from './analyze/break-even.ts'
export { type Imposition, readImposition } from './analyze/imposition.ts'
export { type FoundLayers, findLayers, type Layer, type LayerForm } from './analyze/layers.ts'
export { syntheticScores, syntheticWeight } from './analyze/synthetic.ts'
export * from './compress.ts'
export * from './magnitude.ts'
export * from './patterns/index.ts'
export { calibrate, type Range } from './quantize/calibrate.ts'
export { type DynamicOptions, quantizeDynamic } from './quantize/dynamic.ts'
export { foldNorms } from './quantize/fold-norms.ts'
export { quantizeStatic, type StaticOptions } from './quantize/static.ts'
export {
  type Grid,
  type Quantization,
  type QuantizedWeight,
  quantizeWeight,
  quantizeWeights,
  type WeightOnlyOptions,
  type WeightQuantization,
} from './quantize/weights.ts'
