/**
 * The second half of `espalier quickstart`: a model compressed in two ways and measured. The model is an encoder that is
 * built by code, or the user's.
 */
import { batchSymbols, inputSymbols } from '../../analysis/symbols.ts'
import { type CompressOptions, compress } from '../../compress/compress.ts'
import { locateAsync } from '../../errors.ts'
import type { LabelledData } from '../../evaluate/data.ts'
import { type Comparison, type EvaluationData, evaluateAll } from '../../evaluate/evaluate.ts'
import { readFile } from '../../formats/index.ts'
import type { Graph } from '../../graph/graph.ts'
import { validate } from '../../graph/validate.ts'
import { load } from '../../model.ts'
import { cifarNormalization, cifarResNet, isCifarResNet } from '../../models/cifar-resnet.ts'
import { encoder } from '../../models/encoder.ts'
import { chooseBackend } from '../../runtime/backends.ts'
import { batchesOf } from '../../runtime/batches.ts'
import { requiredInputs } from '../../runtime/feeds.ts'
import { randomFeeds } from '../../runtime/random-feeds.ts'
import type { SessionOptions } from '../../runtime/session.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { integers, randomKey } from '../../tensor/random.ts'
import { type Invocation, usage } from '../command.ts'
import { readEvaluationData } from '../commands/evaluate.ts'
import { readNormalization } from '../feeds.ts'
import type { Progress } from '../terminal.ts'

/** Rows of random data, where there is no other. */
const RANDOM_ROWS = 64
/** Runs that ranges of activations are taken from. */
const CALIBRATION_RUNS = 2

/** What is made of a model, and what its row of the table is called. */
export interface Form {
  readonly title: string
  readonly options: CompressOptions
}

/** What is compressed and measured. */
export interface Job {
  readonly title: string
  /** The user's file, if it is one. */
  readonly file?: string
  readonly graph: Graph
  readonly data: EvaluationData
  readonly limit: number
  /** Rows of a run. */
  readonly batch?: number
  readonly forms: readonly Form[]
  /** Lines below the table: what the figures say, and what they do not. */
  readonly remarks: readonly string[]
}

/** The model of `--model` with its `--data`, of which at most `limit` rows; the encoder when there is none. */
export async function chooseJob(invocation: Invocation, limit: number, engine: SessionOptions): Promise<Job> {
  const file = invocation.text('model')
  if (file === undefined) return encoderJob(engine)
  const { graph, data } = await openModel(file, invocation, limit)
  const labelled = data?.labels !== undefined
  const calibration = data === undefined ? [] : batchesOf(graph, data.inputs).slice(0, CALIBRATION_RUNS)
  return {
    title: `The main job: ${file}, smaller and faster`,
    file,
    graph,
    data: data ?? { inputs: randomRows(graph) },
    limit,
    forms: formsWith(calibration),
    remarks: [
      ...(data === undefined ? ['The rows are random numbers: give --data for the real thing.'] : []),
      'Pruned by magnitude in one step, without training: above half zeros most models lose accuracy so, which',
      labelled
        ? 'training or a better criterion brings back in large part.'
        : 'training or a better criterion brings back in large part. With labels, accuracy is shown.',
    ],
  }
}

/** Ranges of activations are taken from data where there is some, and anew in every run where not. */
function formsWith(calibration: CompressOptions['data'] & object): Form[] {
  const quantize = calibration.length > 0 ? 'int8-static' : 'int8-dynamic'
  return [
    { title: '90 % unstructured, float32', options: { sparsity: 0.9, pattern: 'unstructured' } },
    {
      title: `80 % in blocks of 4, ${quantize.replace('-', ' ')}`,
      options: { sparsity: 0.8, pattern: 'block4', quantize, data: calibration },
    },
  ]
}

/** A size that is done in seconds where there are kernels, and another where there is only the reference. */
function encoderJob({ backend }: SessionOptions): Job {
  const slow = chooseBackend(backend).name === 'reference'
  const tokens = slow ? 8 : 64
  const graph = encoder(slow ? { tokens, layers: 1, width: 64 } : { tokens })
  const ids = integers(randomKey(11), 0, 256, RANDOM_ROWS * tokens)
  return {
    title: 'The main job: a text encoder as BERT is built, smaller and faster',
    graph,
    data: { inputs: { tokens: fromNumbers('int64', [RANDOM_ROWS, tokens], ids) } },
    limit: RANDOM_ROWS,
    batch: 1,
    forms: formsWith([]),
    remarks: [
      'Bytes and milliseconds are real. Agreement is not to be taken from here: the weights are random, so that none',
      'of them is unimportant, and pruning in one step without training changes what the model says. Trained models',
      'lose less, and get it back by training: --model and --data show it on one of yours.',
    ],
  }
}

/** The user's model and data. A checkpoint of a known network is made into one, and its pictures normalised as it wants. */
async function openModel(
  file: string,
  invocation: Invocation,
  limit: number,
): Promise<{ readonly graph: Graph; readonly data: LabelledData | undefined }> {
  const { terminal, texts } = invocation
  const contents = await readFile(file)
  const known = contents.kind === 'tensors' && isCifarResNet(contents.tensors)
  const graph = known ? cifarResNet(contents.tensors) : await load(file)
  if (known) terminal.note(`note: ${file} has the names of a CIFAR-10 ResNet, and is taken as ${graph.name}`)
  return locateAsync({ file }, async () => {
    if (texts('data').length === 0) return { graph, data: undefined }
    const given = readNormalization(invocation)
    const normalization = known && Object.keys(given).length === 0 ? cifarNormalization : given
    return { graph, data: await readEvaluationData(graph, invocation, { limit, normalization }) }
  })
}

function randomRows(graph: Graph): EvaluationData['inputs'] {
  const batch = batchSymbols(graph)
  const open = inputSymbols(graph).filter(symbol => !batch.includes(symbol))
  if (open.length > 0)
    throw usage(`the model does not say how large ${open.join(' and ')} is`, 'Give it rows with --data FILE')
  return randomFeeds(requiredInputs(graph), { symbols: new Map(batch.map(name => [name, RANDOM_ROWS])) })
}

/** Compresses in every form, and measures all of them by turns, the model as it was first. */
export async function mainJob(
  { graph, data, limit, batch, forms, file }: Job,
  engine: SessionOptions,
  onProgress: Progress,
): Promise<Comparison> {
  return locateAsync(file === undefined ? {} : { file }, async () => {
    const models = [graph]
    for (const { options } of forms)
      models.push(validate((await compress(graph, { ...options, session: engine })).graph))
    return evaluateAll(models, data, { limit, ...(batch && { batch }), session: engine, onProgress })
  })
}
