/**
 * What a model is worth, beside another: accuracy on labelled data or agreement of outputs, with the bytes it takes and
 * the milliseconds it runs. Always all of them: a sparsity without bytes and time, or a speed without accuracy, is how
 * compression deceives. The library side of `espalier evaluate`.
 */
import { statistics, type TotalSparsity } from '../analysis/statistics.ts'
import { weightViews } from '../analysis/weight-views.ts'
import { EspalierError, locate, locateAsync } from '../errors.ts'
import { encodeEspalier } from '../formats/espalier/index.ts'
import { withSource } from '../formats/index.ts'
import type { Graph } from '../graph/graph.ts'
import { load } from '../model.ts'
import { batchesOf, feedRows, ROWS, rowsOfData, rowsWanted, tensorRows } from '../runtime/batches.ts'
import { benchmark, type Timing } from '../runtime/benchmark.ts'
import type { Feeds } from '../runtime/executor.ts'
import { checkFeeds } from '../runtime/feeds.ts'
import { type Outputs, type Session, type SessionOptions, session } from '../runtime/session.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../tensor/tensor.ts'
import { type Accuracy, type Agreement, accuracyCount, agreementCount, mayBeScores } from './scores.ts'

/** Data to evaluate on: many rows along the outermost axis of every input. */
export interface EvaluationData {
  readonly inputs: Feeds
  /** Classes, a whole number for every row of scores; rows with a negative one have none. */
  readonly labels?: Tensor
}

/** A file and the graph that was loaded from it: the file is not read again, and its bytes count. */
export interface LoadedModel {
  readonly file: string
  readonly graph: Graph
}

export interface EvaluateOptions {
  /** A model to compare with, such as the one before compression: its file, or its graph. */
  readonly against?: Graph | string | LoadedModel
  /** Rows of one run, where the model takes any number; 32 when left out. */
  readonly batch?: number
  /** Takes only the first rows of the data. */
  readonly limit?: number
  /** The output that holds scores of classes; the first when left out. */
  readonly output?: string
  /** Runs of each model that are timed; 20 when left out. */
  readonly runs?: number
  /** How the models run. */
  readonly session?: Omit<SessionOptions, 'outputs' | 'shapes'>
  /** Called with the rows done and of all, those of every model counted. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Figures of one model. */
export interface Evaluated {
  /** Its file, or the name of its graph. */
  readonly name: string
  /** Where there are labels. */
  readonly accuracy?: Accuracy
  /** With the model it is compared with. */
  readonly agreement?: Agreement
  /** Zeros among the weights of its layers. */
  readonly sparsity: Pick<TotalSparsity, 'elements' | 'zeros' | 'fraction'>
  /** Bytes: of its file with those of external data, or for a graph in memory of the espalier file that it makes. */
  readonly storedBytes: number
  /** Milliseconds of one run of {@link Evaluation.batch} rows. */
  readonly milliseconds: Omit<Timing, 'name' | 'times'>
  readonly engine: Pick<Session, 'backend' | 'isa' | 'threads'>
}

export interface Evaluation {
  /** Rows of the data that were run. */
  readonly rows: number
  /** Rows at the end that were not: the model takes a fixed number, and there are too few. */
  readonly left: number
  /** Rows of a run, but for the last. */
  readonly batch: number
  readonly model: Evaluated
  readonly against?: Evaluated
}

/**
 * Runs a model on all rows of the data, and beside it another if `against` is given. Times are medians of runs of the first
 * batch, the models by turns. Throws `bad-argument` for counts out of range, an output that the model does not have, labels
 * that are no classes; `bad-shape` where labels do not fit scores, or the models give different outputs; and what `load`,
 * `session` and runs throw.
 */
export async function evaluate(
  model: Graph | string | LoadedModel,
  data: EvaluationData,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { against, ...rest } = options
  const { models, ...facts } = await evaluateAll(
    against === undefined ? [model] : [against, model],
    data,
    rest,
  )
  const own = models.at(-1)!
  return { ...facts, model: own, ...(models.length > 1 && { against: models[0]! }) }
}

/** Figures of several models, the first of which is the one that others are compared with. */
export interface Comparison extends Pick<Evaluation, 'rows' | 'left' | 'batch'> {
  readonly models: readonly Evaluated[]
}

/** {@link evaluate} for any number of models that take the same inputs. */
export async function evaluateAll(
  models: readonly (Graph | string | LoadedModel)[],
  data: EvaluationData,
  options: Omit<EvaluateOptions, 'against'> = {},
): Promise<Comparison> {
  for (const name of ['batch', 'limit', 'runs'] as const) checkCount(name, options[name])
  const opened: Opened[] = []
  try {
    for (const model of models) opened.push(await open(model, options))
    const [first] = opened as [Opened, ...Opened[]]
    const pickiest = opened.find(({ graph }) => rowsWanted(graph) !== undefined) ?? first
    const batches = batchesFor(pickiest.graph, data, options)
    const counts = await runAll(opened, batches, options)
    const timings = await benchmark(
      opened.map(({ name, session: own }) => ({ name, run: () => own.run(batches.pieces[0]!.inputs) })),
      { runs: options.runs ?? RUNS, rest: opened.length > 1 ? REST_MS : 0 },
    )
    const { rows, left, size } = batches
    return {
      rows,
      left,
      batch: size,
      models: opened.map(({ session: own, graph: _, ...facts }, index) => {
        const { median, p90, min } = timings[index]!
        const { backend, isa, threads } = own
        return {
          ...facts,
          ...counts[index]!,
          milliseconds: { median, p90, min },
          engine: { backend, isa, threads },
        }
      }),
    }
  } finally {
    for (const { session: own } of opened) own.dispose()
  }
}

const RUNS = 20
/** Before a turn: the threads of the other model's session wait actively for a moment after a run. */
const REST_MS = 5

interface Opened extends Pick<Evaluated, 'name' | 'sparsity' | 'storedBytes'> {
  readonly graph: Graph
  readonly session: Session
}

async function open(model: Graph | string | LoadedModel, options: EvaluateOptions): Promise<Opened> {
  const file = typeof model === 'string' ? model : 'file' in model ? model.file : undefined
  const graph = typeof model === 'string' ? await load(model) : 'file' in model ? model.graph : model
  const found = statistics(graph)
  const { elements, zeros, fraction } = found.sparsity
  return locateAsync(file === undefined ? {} : { file }, async () => ({
    graph,
    name: file ?? graph.name,
    sparsity: { elements, zeros, fraction },
    // A file with external data is smaller than what it holds.
    storedBytes:
      file === undefined
        ? encodeEspalier(graph, { views: weightViews(graph) }).report.fileBytes
        : Math.max(found.bytes, await withSource(file, async ({ size }) => size)),
    session: await session(graph, options.session ?? {}),
  }))
}

/** The data, in runs. */
interface Batches {
  readonly rows: number
  readonly left: number
  readonly size: number
  readonly pieces: readonly {
    readonly inputs: ReadonlyMap<string, RuntimeValue>
    readonly labels?: Tensor
    readonly rows: number
  }[]
}

function batchesFor(graph: Graph, data: EvaluationData, { limit, batch = ROWS }: EvaluateOptions): Batches {
  const given = new Map(data.inputs instanceof Map ? data.inputs : Object.entries(data.inputs))
  const found = rowsOfData(graph, given)
  const { labels } = data
  if (found === undefined || found === 0) {
    if (limit !== undefined)
      throw new EspalierError('bad-argument', 'the data cannot be taken apart into rows', {
        where: { field: 'limit' },
        hint: 'Inputs have different outermost extents; give the rows that are wanted',
      })
    const inputs = checkFeeds(graph, given)
    return { rows: 1, left: 0, size: 1, pieces: [{ inputs, ...(labels && { labels }), rows: 1 }] }
  }
  const wanted = rowsWanted(graph)
  const some = Math.min(limit ?? found, found)
  const rows = wanted === undefined || wanted === 0 || some < wanted ? some : some - (some % wanted)
  checkLabels(labels, found)
  const size = Math.min(wanted ?? batch, rows)
  const taken = feedRows(graph, given, 0, rows)
  let from = 0
  const pieces = batchesOf(graph, taken, size).map(inputs => {
    const to = Math.min(rows, from + size)
    const own = labels && tensorRows(labels, from, to)
    const piece = { inputs, ...(own && { labels: own }), rows: to - from }
    from = to
    return piece
  })
  return { rows, left: some - rows, size, pieces }
}

function checkLabels(labels: Tensor | undefined, rows: number): void {
  if (labels === undefined || labels.shape[0] === rows) return
  throw new EspalierError('bad-shape', 'there is not one label for every row of the data', {
    expected: `${rows} rows`,
    got: `${labels.shape[0] ?? 'a scalar'}`,
  })
}

/** Accuracy and agreement of every model, in one pass over the data. */
async function runAll(
  models: readonly Opened[],
  { pieces, rows }: Batches,
  { output, onProgress }: EvaluateOptions,
): Promise<Pick<Evaluated, 'accuracy' | 'agreement'>[]> {
  const accuracy = models.map(accuracyCount)
  const agreement = models.map(agreementCount)
  let done = 0
  let labelled = false
  for (const piece of pieces) {
    let expected: Outputs | undefined
    for (const [index, model] of models.entries()) {
      const outputs = await model.session.run(piece.inputs)
      const scores = scoresName(model.session, outputs, output, piece.labels !== undefined)
      if (piece.labels !== undefined) {
        labelled = true
        const value = outputs[scores!]!
        if (!isTensor(value)) throw noScores(scores!)
        locate({ tensor: scores! }, () => accuracy[index]!.add(value, piece.labels!))
      }
      if (expected === undefined) expected = outputs
      else agreement[index]!.add(outputs, expected, scores)
      done += piece.rows
      onProgress?.(done, rows * models.length)
    }
  }
  return models.map((_, index) => ({
    ...(labelled && { accuracy: accuracy[index]!.result() }),
    ...(index > 0 && { agreement: agreement[index]!.result() }),
  }))
}

/** The output that holds scores: the one that is asked for, or the first, where there are labels or it looks so. */
function scoresName(
  { outputs: names }: Session,
  outputs: Outputs,
  asked: string | undefined,
  labelled: boolean,
): string | undefined {
  if (asked !== undefined && !names.includes(asked))
    throw new EspalierError('bad-argument', `the model has no output "${asked}"`, {
      expected: names.join(', '),
    })
  const name = asked ?? names[0]
  if (name === undefined) throw new EspalierError('bad-argument', 'the model has no output')
  return labelled || asked !== undefined || mayBeScores(outputs[name]) ? name : undefined
}

function noScores(output: string): EspalierError {
  return new EspalierError('bad-dtype', 'the output is no tensor', { where: { tensor: output } })
}

function checkCount(field: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return
  throw new EspalierError('bad-argument', 'not a whole number from 1 on', {
    where: { field },
    got: `${value}`,
  })
}
