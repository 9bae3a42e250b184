/**
 * From one file to another, in the formats that their names say: the library side of `espalier convert`. Models become
 * models, with parts cut out, computed or annotated; tensors become tensors, and so do the constants of a model.
 */
import { foldConstants } from './analysis/fold.ts'
import { annotate } from './analysis/infer.ts'
import { EspalierError, locate } from './errors.ts'
import {
  type FileContents,
  type Format,
  formatNamed,
  type OnRead,
  readFile,
  watchSource,
  withSource,
  writeTensors,
} from './formats/index.ts'
import { extract } from './graph/extract.ts'
import type { Graph } from './graph/graph.ts'
import { denseOf } from './graph/sparse.ts'
import { validate } from './graph/validate.ts'
import { save } from './model.ts'
import type { Tensor } from './tensor/tensor.ts'

export interface ConvertOptions {
  /** To formats of tensors: only these, in this order. All when left out. */
  readonly tensors?: readonly string[]
  /** To models: cut the model at these values, which become its inputs. Goes with `outputs`. */
  readonly inputs?: readonly string[]
  /** To models: the values that the cut model gives. */
  readonly outputs?: readonly string[]
  /** To models: compute the constant parts of the graph. */
  readonly fold?: boolean
  /** To models: write the inferred type of every value into the file. */
  readonly annotate?: boolean
  /** To ONNX: put the weights into a file of their own, `TO.data`. Needed from 2 GiB on. */
  readonly externalData?: boolean
  /** To ONNX: constants become sparse tensors wherever these take fewer bytes. */
  readonly sparse?: boolean
  /** Called with the bytes read so far and the size of the file. */
  readonly onRead?: OnRead
}

export interface Conversion {
  /** Short name of the format written, as `npz`. */
  readonly format: string
  /** Names of the tensors, or of the constants of the model, that were written. */
  readonly tensors: readonly string[]
  /** Number of nodes written; 0 for tensors. */
  readonly nodes: number
  /** What the new file does not hold and the old one does, in words. */
  readonly left: readonly string[]
}

const graphOptions = ['inputs', 'outputs', 'fold', 'annotate', 'externalData', 'sparse'] as const

/**
 * Converts `from` into `to`, which may be the same file: it is replaced when the new one is complete. No number is
 * changed on the way. Throws `unsupported` for tensors to a model; `bad-argument` for options that do not go with
 * the formats and for names that are not there; `bad-dtype` for a data type that the new format does not have;
 * `unsupported-format` as {@link formatNamed} does; and what reading and writing throw.
 */
export async function convert(from: string, to: string, options: ConvertOptions = {}): Promise<Conversion> {
  const format = formatNamed(to)
  checkOptions(format, to, options)
  const { onRead } = options
  const contents = await withSource(from, source =>
    readFile(onRead === undefined ? source : watchSource(source, onRead)),
  )
  if (format.holds === 'graph') {
    const graph = locate({ file: from }, () => convertGraph(contents, options))
    await save(to, graph, { externalData: options.externalData ?? false, sparse: options.sparse ?? false })
    return {
      format: format.name,
      tensors: [...graph.initializers.keys()],
      nodes: graph.nodes.length,
      left: [],
    }
  }
  const tensors = locate({ file: from }, () => selectTensors(contents, options.tensors))
  const metadata = contents.kind === 'tensors' ? contents.metadata : undefined
  await writeTensors(to, tensors, metadata)
  return {
    format: format.name,
    tensors: [...tensors.keys()],
    nodes: 0,
    left: leftBehind(contents, tensors, format),
  }
}

function checkOptions({ holds }: Format, to: string, options: ConvertOptions): void {
  const given = (name: keyof ConvertOptions): boolean =>
    options[name] !== undefined && options[name] !== false
  const [wrong, what] =
    holds === 'graph'
      ? [given('tensors') ? 'tensors' : undefined, 'is for files of tensors, and a model is written']
      : [graphOptions.find(given), 'is for models, and tensors are written']
  if (wrong !== undefined)
    throw new EspalierError('bad-argument', `this option ${what}`, { where: { file: to, field: wrong } })
  if (given('inputs') !== given('outputs'))
    throw new EspalierError('bad-argument', 'the options inputs and outputs go together', {
      where: { field: given('inputs') ? 'inputs' : 'outputs' },
    })
}

function convertGraph(contents: FileContents, { inputs, outputs, ...options }: ConvertOptions): Graph {
  if (contents.kind === 'tensors')
    throw new EspalierError('unsupported', 'the file holds tensors without a graph, which make no model', {
      hint: 'Builders, which make a model around tensors, come in a later version',
    })
  const whole = validate(contents.graph)
  const part = inputs && outputs ? extract(annotate(whole), inputs, outputs) : whole
  const folded = options.fold ? foldConstants(part) : part
  return options.annotate ? annotate(folded) : folded
}

/** The tensors to write: all, or the named ones; a model's are its constants. */
function selectTensors(
  contents: FileContents,
  names: readonly string[] | undefined,
): ReadonlyMap<string, Tensor> {
  const all: ReadonlyMap<string, Tensor> =
    contents.kind === 'tensors'
      ? contents.tensors
      : new Map([...contents.graph.initializers].map(([name, value]) => [name, denseOf(value)]))
  if (names === undefined) return all
  return new Map(
    names.map(name => {
      const tensor = all.get(name)
      if (tensor !== undefined) return [name, tensor]
      const known = [...all.keys()]
      throw new EspalierError('bad-argument', `there is no tensor "${name}"`, {
        where: { field: 'tensors' },
        expected: `${known.slice(0, 12).join(', ')}${known.length > 12 ? `, ... (${known.length})` : ''}`,
      })
    }),
  )
}

function leftBehind(contents: FileContents, written: ReadonlyMap<string, Tensor>, format: Format): string[] {
  if (contents.kind === 'graph')
    return [`the graph: ${contents.graph.nodes.length} nodes; only constants were written`]
  const left: string[] = []
  const missing = contents.tensors.size - written.size
  if (missing > 0) left.push(`${missing} other tensor${missing === 1 ? '' : 's'}`)
  const keys = [...(contents.metadata?.keys() ?? [])]
  if (keys.length > 0 && !format.keepsMetadata)
    left.push(`${keys.length} remark${keys.length === 1 ? '' : 's'} (${keys.slice(0, 5).join(', ')})`)
  return left
}
