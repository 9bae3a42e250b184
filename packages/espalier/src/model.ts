/** Loading and saving models in one line each. */
import { EspalierError, locate } from './errors.ts'
import { formatNamed, type Input, type OnRead, readFile, watchSource, withSource } from './formats/index.ts'
import { type WriteOnnxOptions, writeOnnx } from './formats/onnx/index.ts'
import type { Graph } from './graph/graph.ts'
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

/**
 * Writes a model as ONNX. The file appears complete or not at all. Throws `unsupported-format` unless the path ends
 * with `.onnx`, `invalid-graph` for a broken graph, `too-large` from 2 GiB on without external data, `not-found`, `io`.
 */
export async function save(path: string, graph: Graph, options: WriteOnnxOptions = {}): Promise<void> {
  const format = formatNamed(path)
  if (format.holds !== 'graph')
    throw new EspalierError('unsupported-format', `a ${format.name} file cannot hold a model`, {
      where: { file: path },
      expected: 'a path that ends with .onnx',
    })
  await writeOnnx(path, validate(graph), options)
}
