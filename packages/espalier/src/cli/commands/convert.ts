/** `espalier convert`: from one format to another, and models to models with parts cut out, folded or annotated. */

import { foldConstants } from '../../analysis/fold.ts'
import { annotate } from '../../analysis/infer.ts'
import { EspalierError, locate } from '../../errors.ts'
import { type FileContents, formatNamed, readFile, writeTensors } from '../../formats/index.ts'
import { extract } from '../../graph/extract.ts'
import type { Graph } from '../../graph/graph.ts'
import { denseOf } from '../../graph/sparse.ts'
import { validate } from '../../graph/validate.ts'
import { save } from '../../model.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Command, command, type Invocation } from '../command.ts'
import { count } from '../text.ts'

export const convert: Command = command({
  name: 'convert',
  summary: 'Convert between formats: ONNX, safetensors, npy, npz, IDX, torch checkpoints (read only)',
  positionals: 'IN OUT',
  arity: [2, 2],
  options: {
    tensor: { type: 'string', multiple: true, value: 'NAME', doc: 'Only this tensor; may be repeated' },
    'external-data': { type: 'boolean', doc: 'ONNX: put the weights into OUT.data (needed from 2 GiB on)' },
    fold: { type: 'boolean', doc: 'ONNX: compute the constant parts of the graph' },
    annotate: { type: 'boolean', doc: 'ONNX: write the inferred shape of every value' },
    inputs: { type: 'string', value: 'A,B', doc: 'ONNX: cut the model at these values; needs --outputs' },
    outputs: { type: 'string', value: 'C,D', doc: 'ONNX: values that the cut model gives' },
  },
  examples: [
    {
      line: 'convert resnet20.th resnet20.safetensors',
      doc: 'a torch checkpoint, without Python and without running it',
    },
    { line: 'convert model.onnx weights.npz', doc: 'the weights of a model as arrays' },
    { line: 'convert model.onnx head.onnx --inputs features --outputs logits', doc: 'a part of a model' },
    { line: 'convert model.onnx folded.onnx --fold --annotate', doc: 'constants computed, shapes written' },
  ],
  async run(invocation) {
    const [from, to] = invocation.positionals as [string, string]
    const contents = await readFile(from)
    const target = formatNamed(to)
    if (target.holds === 'graph') {
      const graph = locate({ file: from }, () => convertGraph(contents, invocation))
      await save(to, graph, { externalData: invocation.flag('external-data') })
      invocation.terminal.print(
        `wrote ${to}: ${count(graph.nodes.length)} nodes, ${count(graph.initializers.size)} constants`,
      )
      return { from, to, format: target.name, nodes: graph.nodes.length, constants: graph.initializers.size }
    }
    for (const option of ['external-data', 'fold', 'annotate', 'inputs', 'outputs'])
      if (invocation.flag(option) || invocation.text(option) !== undefined)
        throw new EspalierError('usage', `--${option} is for ONNX models, and ${to} is none`)
    const tensors = locate({ file: from }, () => selectTensors(contents, invocation.texts('tensor')))
    await writeTensors(to, tensors, contents.kind === 'tensors' ? contents.metadata : undefined)
    if (contents.kind === 'graph')
      invocation.terminal.note(
        `note: ${target.title} holds no graph; only the constants of the model were written`,
      )
    invocation.terminal.print(`wrote ${to}: ${count(tensors.size)} tensor${tensors.size === 1 ? '' : 's'}`)
    return { from, to, format: target.name, tensors: [...tensors.keys()] }
  },
})

function convertGraph(contents: FileContents, { flag, text, texts }: Invocation): Graph {
  if (contents.kind === 'tensors')
    throw new EspalierError(
      'unsupported',
      'these are tensors without a graph, and no model builder was named',
      {
        hint: 'Building a graph around tensors is not part of this version',
      },
    )
  if (texts('tensor').length > 0)
    throw new EspalierError('usage', '--tensor is for formats that hold tensors')
  let graph = validate(contents.graph)
  const [inputs, outputs] = [text('inputs'), text('outputs')]
  if ((inputs === undefined) !== (outputs === undefined))
    throw new EspalierError('usage', '--inputs and --outputs go together')
  if (inputs !== undefined && outputs !== undefined)
    graph = extract(annotate(graph), inputs.split(','), outputs.split(','))
  if (flag('fold')) graph = foldConstants(graph)
  return flag('annotate') ? annotate(graph) : graph
}

/** The tensors to write: all, or the named ones; a model's are its constants. */
function selectTensors(contents: FileContents, names: readonly string[]): ReadonlyMap<string, Tensor> {
  const all: ReadonlyMap<string, Tensor> =
    contents.kind === 'tensors'
      ? contents.tensors
      : new Map([...contents.graph.initializers].map(([name, value]) => [name, denseOf(value)]))
  if (names.length === 0) return all
  return new Map(
    names.map(name => {
      const tensor = all.get(name)
      if (tensor !== undefined) return [name, tensor]
      throw new EspalierError('usage', `there is no tensor "${name}"`, {
        expected: [...all.keys()].slice(0, 20).join(', '),
      })
    }),
  )
}
