/** `espalier evaluate`: accuracy, bytes and milliseconds of a model, alone or beside the one that it came from. */
import { basename } from 'node:path'
import { locateAsync } from '../../errors.ts'
import { type ReadDataOptions, readData } from '../../evaluate/data.ts'
import { type Evaluated, evaluate as evaluateModel } from '../../evaluate/evaluate.ts'
import type { Graph } from '../../graph/graph.ts'
import { load } from '../../model.ts'
import { integerOption } from '../arguments.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { describeEngine, engineForJSON, engineOptions, readEngineOptions } from '../engine-options.ts'
import { feedOptions, readNormalization } from '../feeds.ts'
import { readArrayOf, readFeedFile } from '../inputs.ts'
import { lookAtMachine, warnOfLoad } from '../machine.ts'
import { type EvaluationRow, evaluationTable, rowsText } from '../reports/evaluation.ts'
import { bytes, plural } from '../text.ts'

export const evaluate: Command = command({
  name: 'evaluate',
  summary: 'Accuracy on labelled data, bytes and milliseconds of a model, beside another one',
  positionals: ['MODEL'],
  options: {
    data: {
      type: 'string',
      short: 'd',
      multiple: true,
      value: 'NAME=FILE',
      doc: 'Inputs of many rows, as --input of run: npz, npy, IDX, CIFAR and others. May be repeated',
    },
    labels: {
      type: 'string',
      short: 'l',
      value: 'FILE',
      doc: 'Classes, one for each row; FILE#ARRAY takes one array of several. "labels" in a data file when left out',
    },
    against: {
      type: 'string',
      value: 'MODEL',
      doc: 'Another model, as the one before compression, to compare with; without labels, how far outputs agree',
    },
    limit: { type: 'string', value: 'N', doc: 'Only the first N rows' },
    batch: { type: 'string', value: 'N', doc: 'Rows of a run, where the model takes any; 32 when left out' },
    output: {
      type: 'string',
      short: 'o',
      value: 'NAME',
      doc: 'Output that holds a score for every class; the first when left out',
    },
    runs: { type: 'string', short: 'n', value: 'N', doc: 'Runs that are timed; 20 when left out' },
    scale: feedOptions.scale,
    mean: feedOptions.mean,
    std: feedOptions.std,
    ...engineOptions,
  },
  examples: [
    {
      line: 'evaluate small.espalier --data test.npz --against model.onnx',
      doc: 'both models; test.npz has the arrays "input" and "labels"',
    },
    {
      line: 'evaluate lenet.onnx -d t10k-images-idx3-ubyte.gz -l t10k-labels-idx1-ubyte.gz --scale 1/255',
      doc: 'accuracy on a data set in two files',
    },
    {
      line: 'evaluate resnet20.onnx -d test_batch.bin --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225',
      doc: 'on the pictures of CIFAR-10',
    },
    {
      line: 'evaluate small.espalier --data tokens.npy --against model.onnx --json',
      doc: 'no labels: how far the outputs are from those of the other model',
    },
  ],
  notes:
    'top-1 is the share of rows whose label has the largest score, top-5 whose label is among the five largest (of ten ' +
    'classes or more). same class: rows in which both models have the same largest score. error: difference of outputs, ' +
    'relative to those of the other model, in the Euclidean norm. stored are bytes of files. A run is timed on the first ' +
    'batch, the models by turns; ms is the median.',
  async run(invocation) {
    const { positionals, text, texts, terminal } = invocation
    const file = positionals[0]!
    const against = text('against')
    if (texts('data').length === 0) throw usage('espalier evaluate needs --data FILE')
    const options = {
      ...counts(invocation, 'limit', 'batch', 'runs'),
      ...(text('output') !== undefined && { output: text('output')! }),
      ...(against !== undefined && { against }),
      session: readEngineOptions(invocation),
    }
    const graph = await load(file, { onRead: terminal.progress(`reading ${file}`, bytes) })
    return locateAsync({ file }, async () => {
      const data = await readEvaluationData(graph, invocation)
      if (data.labels === undefined && against === undefined)
        throw usage('there is nothing to compare with', 'Give --labels FILE or --against MODEL')
      const machine = lookAtMachine()
      const found = await evaluateModel({ file, graph }, data, {
        ...options,
        onProgress: terminal.progress('running'),
      })
      terminal.print(`${rowsText(found)}, on the ${describeEngine(found.model.engine)}`)
      terminal.print()
      const rows = [...(found.against ? [found.against] : []), found.model]
      for (const line of evaluationTable(titled(rows), terminal.width)) terminal.print(line)
      warnOfLoad(machine, terminal, 'times are uncertain, measure again when it is quiet')
      if (found.left > 0)
        terminal.warn(
          `${plural(found.left, 'row')} left out at the end: the model takes ${found.batch} at a time`,
        )
      const { model, against: other, ...facts } = found
      return {
        file,
        machine,
        ...engineForJSON(model.engine),
        ...facts,
        model: withoutEngine(model),
        ...(other && { against: withoutEngine(other) }),
      }
    })
  },
})

/** The rows of `--data` and their labels, with the options of pictures and `--limit`. */
export async function readEvaluationData(
  graph: Graph,
  invocation: Invocation,
  options: ReadDataOptions = {},
): ReturnType<typeof readData> {
  const { text, texts, terminal } = invocation
  const labels = text('labels')
  return readData(
    graph,
    texts('data').map(given => readFeedFile(given, graph)),
    {
      normalization: readNormalization(invocation),
      ...counts(invocation, 'limit'),
      ...(labels !== undefined && { labels: readArrayOf(labels) }),
      onNote: line => terminal.note(`note: ${line}`),
      ...options,
    },
  )
}

/** Options that are whole numbers from 1 on, those that are given. */
function counts<N extends string>(
  invocation: Invocation,
  ...names: readonly N[]
): Partial<Record<N, number>> {
  return Object.fromEntries(
    names.flatMap(name => {
      const value = integerOption(invocation, name, 1)
      return value === undefined ? [] : [[name, value] as const]
    }),
  ) as Partial<Record<N, number>>
}

/** Rows under the names of their files, without folders where these differ. */
function titled(rows: readonly Evaluated[]): EvaluationRow[] {
  const short = new Set(rows.map(({ name }) => basename(name)))
  return rows.map(row => ({ ...row, title: short.size === rows.length ? basename(row.name) : row.name }))
}

function withoutEngine<T extends { readonly engine: unknown }>({ engine: _, ...rest }: T): Omit<T, 'engine'> {
  return rest
}
