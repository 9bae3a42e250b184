/**
 * Espalier: neural networks read, inspected, converted and run.
 *
 *     import { load, randomFeeds, requiredInputs, session, statistics } from 'espalier'
 *
 *     const model = await load('model.onnx')
 *     console.log(statistics(model).parameters)
 *     const opened = await session(model)
 *     const outputs = await opened.run(randomFeeds(requiredInputs(model)))
 *     opened.dispose()
 *
 * This module has what most programs need. Everything else is in the modules of the parts: `espalier/analysis`,
 * `espalier/compress`, `espalier/evaluate`, `espalier/formats`, `espalier/graph`, `espalier/models`, `espalier/onnx`,
 * `espalier/ops`, `espalier/runtime`, `espalier/safetensors`, `espalier/tensor`.
 */

export { checkModel, type ModelCheck } from './analysis/check.ts'
export { type FoldOptions, foldConstants } from './analysis/fold.ts'
export { annotate, type Inference, type InferOptions, infer } from './analysis/infer.ts'
export { type ModelStatistics, statistics } from './analysis/statistics.ts'
export { type Analysis, type AnalyzeOptions, analyze } from './compress/analyze/analyze.ts'
export { type Imposition, readImposition } from './compress/analyze/imposition.ts'
export {
  type Compression,
  type CompressOptions,
  compress,
  type QuantizedForm,
} from './compress/compress.ts'
export { type PruneOptions, type Pruning, pruneMagnitude } from './compress/magnitude.ts'
export { type Conversion, type ConvertOptions, convert } from './convert.ts'
export { type ErrorCode, type ErrorPlace, EspalierError } from './errors.ts'
export { type LabelledData, type ReadDataOptions, readData } from './evaluate/data.ts'
export {
  type Evaluated,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationData,
  evaluate,
} from './evaluate/evaluate.ts'
export type { Accuracy, Agreement } from './evaluate/scores.ts'
export { type Input, type NamedTensors, readFile, writeTensors } from './formats/index.ts'
export { floatAttribute, floatsAttribute, type GraphBuilder, graphBuilder } from './graph/builder.ts'
export { dump } from './graph/dump.ts'
export {
  type Attribute,
  type Dim,
  type Graph,
  type Initializer,
  type Node,
  type TensorType,
  tensorType,
  type Value,
  type ValueType,
} from './graph/graph.ts'
export { validate } from './graph/validate.ts'
export { type InspectOptions, inspect, type ModelReport, type TensorsReport } from './inspect.ts'
export { type LoadOptions, load, type SaveOptions, save } from './model.ts'
export { type Diagnosis, diagnose } from './runtime/diagnose.ts'
export type { Executor, Feeds, Prepared, PrepareOptions, Values } from './runtime/executor.ts'
export { type FeedFile, type FeedFileOptions, readFeeds } from './runtime/feed-files.ts'
export { requiredInputs } from './runtime/feeds.ts'
export { type RandomFeedOptions, randomFeeds } from './runtime/random-feeds.ts'
export { reference, runReference } from './runtime/reference.ts'
export { type Outputs, type Session, type SessionOptions, session } from './runtime/session.ts'
export type { DType } from './tensor/dtype.ts'
export { bigints, fromBigInts, fromNumbers, full, numbers, strings } from './tensor/elements.ts'
export type { Shape } from './tensor/shape.ts'
export {
  elementCount,
  float32,
  int64,
  isTensor,
  type RuntimeValue,
  reshape,
  sameTensor,
  type Tensor,
  tensor,
  tensorBytes,
  tensorFromBytes,
  zeros,
} from './tensor/tensor.ts'
export { version } from './version.ts'
