/** Loading and saving models in one line each. */
import { EspalierError, locate } from './errors.ts'
import { type Input, readFile } from './formats/index.ts'
import { readOnnx, type WriteOnnxOptions, writeOnnx } from './formats/onnx/index.ts'
import type { Graph } from './graph/graph.ts'
import { validate } from './graph/validate.ts'

/**
 * The model in a file, or in bytes, checked for structure. Throws `unsupported-format` for files that hold
 * tensors without a graph, `invalid-graph` for broken models, and what the reader throws.
 */
export async function load(input: Input): Promise<Graph> {
  if (typeof input === 'string') {
    const contents = await readFile(input)
    if (contents.kind === 'graph') return locate({ file: input }, () => validate(contents.graph))
    throw new EspalierError('unsupported-format', 'the file holds tensors, not a model', {
      where: { file: input },
      hint: 'Read it with readFile, or inspect it with "espalier inspect"',
    })
  }
  return validate(await readOnnx(input))
}

/** Writes a model as ONNX. The file appears complete or not at all. */
export async function save(path: string, graph: Graph, options: WriteOnnxOptions = {}): Promise<void> {
  await writeOnnx(path, validate(graph), options)
}
