/** `espalier inspect`: what is in a file. */
import { annotate, infer } from '../../analysis/infer.ts'
import { inputSymbols } from '../../analysis/symbols.ts'
import { locate } from '../../errors.ts'
import type { FileContents } from '../../formats/index.ts'
import { dump } from '../../graph/dump.ts'
import { denseOf } from '../../graph/sparse.ts'
import { validate } from '../../graph/validate.ts'
import { inspectContents, openForInspection } from '../../inspect.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { valueForJSON } from '../json.ts'
import { printModel } from '../reports/model.ts'
import { printTensors } from '../reports/tensors.ts'
import { nearest } from '../suggest.ts'
import { checkSymbols, readSymbols, symbolOption } from '../symbols.ts'
import { bytes } from '../text.ts'
import { printValue } from '../values.ts'

export const inspect: Command = command({
  name: 'inspect',
  summary: 'Show what is in a file: operators, shapes, parameters, bytes, MACs, zeros',
  positionals: ['FILE'],
  options: {
    all: { type: 'boolean', short: 'a', doc: 'Every layer or tensor, and not only the largest' },
    tensor: {
      type: 'string',
      short: 't',
      value: 'NAME',
      doc: 'Look at one tensor or constant: its figures and first elements',
    },
    graph: { type: 'boolean', doc: 'Print the graph itself, one line a node, with inferred shapes' },
    symbol: symbolOption,
  },
  examples: [
    { line: 'inspect model.onnx', doc: 'operators, layers, zeros and bytes of every weight' },
    { line: 'inspect model.onnx --symbol batch=8', doc: 'with MACs and shapes for a batch of 8' },
    { line: 'inspect checkpoint.pth --tensor fc.weight', doc: 'one tensor' },
    { line: 'inspect weights.safetensors --json', doc: 'everything, for a program' },
  ],
  notes:
    'MACs are multiply-accumulates of one run; a symbolic batch counts as 1 in tables. zeros, 4-blocks (four zeros side ' +
    'by side along the inputs) and N:M (at most N of M inputs are not zero) say what the numbers are; the bytes beside ' +
    'them are those of the file. inspect runs nothing and measures no time.',
  async run(invocation) {
    const { positionals, text, texts, flag, terminal } = invocation
    const file = positionals[0]!
    const symbols = readSymbols(texts('symbol'))
    const opened = await openForInspection(file, terminal.progress(`reading ${file}`, bytes))
    const { contents } = opened
    if (contents.kind === 'graph') checkSymbols(symbols, inputSymbols(contents.graph))
    else if (symbols.size > 0) throw usage(`--symbol is for models, and ${file} holds tensors`)
    const tensor = text('tensor')
    if (tensor !== undefined) return printTensor(file, contents, tensor, invocation)
    if (flag('graph')) return printGraph(file, contents, symbols, invocation)
    const examining = terminal.progress('examining')
    const found = inspectContents(opened, {
      symbols,
      onProgress: (_, done, total) => examining(done, total),
    })
    if (found.kind === 'tensors') printTensors(terminal, found, flag('all'))
    else printModel(terminal, found, symbols, flag('all'))
    return found
  },
})

function printGraph(
  file: string,
  contents: FileContents,
  symbols: ReadonlyMap<string, number>,
  { terminal }: Invocation,
): object {
  if (contents.kind === 'tensors') throw usage(`--graph is for models, and ${file} holds tensors`)
  return locate({ file }, () => {
    const graph = validate(contents.graph)
    const text = dump(annotate(graph, infer(graph, { symbols })))
    for (const line of text.trimEnd().split('\n')) terminal.print(line)
    return { file, graph: text }
  })
}

function printTensor(file: string, contents: FileContents, name: string, { terminal }: Invocation): object {
  const names = contents.kind === 'tensors' ? contents.tensors : contents.graph.initializers
  const tensor =
    contents.kind === 'tensors'
      ? contents.tensors.get(name)
      : contents.graph.initializers.has(name)
        ? denseOf(contents.graph.initializers.get(name)!)
        : undefined
  if (tensor === undefined) {
    const near = nearest(name, names.keys())
    throw usage(
      `${file} holds no tensor "${name}"`,
      near === undefined ? 'espalier inspect --all lists them' : `Did you mean ${near}?`,
    )
  }
  printValue(terminal, name, tensor)
  return { file, name, ...(valueForJSON(tensor) as object) }
}
