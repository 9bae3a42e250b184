/** Loading and saving models in one line each. */
import { weightViews } from './analysis/weight-views.ts'
import { EspalierError, locate } from './errors.ts'
import {
  formatNamed,
  type Input,
  type OnRead,
  readFile,
  watchSource,
  withSource,
  writeEspalier,
} from './formats/index.ts'
import { type WriteOnnxOptions, writeOnnx } from './formats/onnx/index.ts'
import type { Graph } from './graph/graph.ts'
import { withSparseInitializers } from './graph/sparse.ts'
import { validate } from './graph/validate.ts'

export interface LoadOptions {
  /** Called with the bytes read so far and the size of the file. */
  readonly onRead?: OnRead
}

/**
 * The model in a file, or in bytes, checked for structure. Throws `unsupported-format` for files that hold
 * tensors without a graph, `invalid-graph` for broken models, and what the reader throws.
 */
export function load(input: Input, { onRead }: LoadOptions = {}): Promise<Graph> {
  return withSource(input, async source => {
    const contents = await readFile(onRead === undefined ? source : watchSource(source, onRead))
    if (contents.kind === 'graph') return locate({ file: source.name }, () => validate(contents.graph))
    throw new EspalierError('unsupported-format', 'the file holds tensors, not a model', {
      hint: 'readFile gives the tensors, "espalier inspect" shows them',
    })
  })
}

export interface SaveOptions extends WriteOnnxOptions {
  /** ONNX: constants become sparse tensors wherever these take fewer bytes. espalier files do so by themselves. */
  readonly sparse?: boolean
}

/**
 * Writes a model: as ONNX, or compressed, as the path ends with `.onnx` or `.espalier`. The file appears complete or not
 * at all. Throws `unsupported-format` for other paths, `bad-argument` for options of ONNX with another format,
 * `invalid-graph` for a broken graph, `too-large` from 2 GiB on without external data, `not-found`, `io`.
 */
export async function save(path: string, graph: Graph, options: SaveOptions = {}): Promise<void> {
  const format = formatNamed(path)
  if (format.holds !== 'graph')
    throw new EspalierError('unsupported-format', `a ${format.name} file cannot hold a model`, {
      where: { file: path },
      expected: 'a path that ends with .onnx or .espalier',
    })
  if (format.name === 'espalier') {
    const given = (['sparse', 'externalData'] as const).find(
      name => options[name] !== undefined && options[name] !== false,
    )
    if (given !== undefined)
      throw new EspalierError('bad-argument', 'this option is for ONNX files', {
        where: { file: path, field: given },
      })
    await writeEspalier(path, validate(graph), { views: weightViews(graph) })
    return
  }
  const { sparse = false, ...rest } = options
  const checked = validate(graph)
  await writeOnnx(path, sparse ? withSparseInitializers(checked) : checked, rest)
}
