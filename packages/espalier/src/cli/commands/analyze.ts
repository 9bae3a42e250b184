/** `espalier analyze`: what layers take, and what they would take with zeros or in integers. */
import { analyze as analyzeModel } from '../../compress/analyze/analyze.ts'
import { type Imposition, readImposition } from '../../compress/analyze/imposition.ts'
import { EspalierError, locateAsync } from '../../errors.ts'
import { writeFile } from '../../formats/io/files.ts'
import { load } from '../../model.ts'
import { integerOption, numbersOption } from '../arguments.ts'
import { type Command, command, type Invocation, usage } from '../command.ts'
import { describeEngine, engineForJSON, engineOptions, readEngineOptions } from '../engine-options.ts'
import { feedOptions, makeFeeds, readSeed } from '../feeds.ts'
import { toJSON } from '../json.ts'
import { describeAnalysis } from '../reports/analysis.ts'
import { bytes, plural } from '../text.ts'

export const analyze: Command = command({
  name: 'analyze',
  summary: 'Time every layer, and what it would take with zeros in a pattern or in 8-bit integers',
  positionals: ['MODEL'],
  options: {
    impose: {
      type: 'string',
      multiple: true,
      value: 'WHAT',
      doc: 'Sparsity, pattern, number format (float32, int8, int8-dynamic) between commas, as 0.9 or 0.8,block4,int8. May be repeated',
    },
    'break-even': {
      type: 'boolean',
      doc: 'For every shape, the sparsity from which on sparse kernels are quicker than dense ones',
    },
    skew: {
      type: 'string',
      value: 'X',
      doc: 'How unevenly zeros lie in synthetic weights: standard deviation of the logarithm of the scales of rows; 0, all rows alike, when left out',
    },
    smallest: {
      type: 'string',
      value: 'N',
      doc: 'Fewest elements of a weight that is imposed on; 1024 when left out',
    },
    save: { type: 'string', value: 'FILE', doc: 'Write what --json prints to this file' },
    all: { type: 'boolean', short: 'a', doc: 'Every shape, and not only those that take longest' },
    ...engineOptions,
    ...feedOptions,
  },
  examples: [
    { line: 'analyze model.onnx', doc: 'milliseconds, bytes and zeros of every layer' },
    {
      line: 'analyze model.onnx --impose 0.9 --impose 0.8,block4,int8 --threads 1',
      doc: 'what each layer and the model would take, before anything is pruned',
    },
    {
      line: 'analyze model.onnx --break-even --symbol batch=16',
      doc: 'how many zeros each shape needs to be quicker, for a batch of 16',
    },
    { line: 'analyze model.onnx --impose 2:4 --save analysis.json', doc: 'for a program' },
  ],
  notes:
    'Every layer with constant weights is timed by itself, in the shapes that it has in the model, those of the same shape ' +
    'once: as it is, and with a synthetic weight of the zeros imposed. int8 has 8-bit inputs and outputs, as between the ' +
    'layers of a model that was quantised on data; int8-dynamic quantises its input in the run. The time of the model is ' +
    'estimated: what one run takes now, with the times of the layers exchanged. Layers by themselves find weights in the ' +
    'caches, so that the sum may be less than they take in the model. Nothing is said of accuracy.',
  async run(invocation) {
    const { positionals, flag, text, terminal } = invocation
    const file = positionals[0]!
    const engine = readEngineOptions(invocation)
    const impose = imposeOption(invocation)
    const skew = skewOption(invocation)
    const smallest = integerOption(invocation, 'smallest', 0)
    const target = text('save')
    const graph = await load(file, { onRead: terminal.progress(`reading ${file}`, bytes) })
    return locateAsync({ file }, async () => {
      const feeds = await makeFeeds(graph, invocation, { random: true })
      const found = await analyzeModel(graph, feeds, {
        ...engine,
        impose,
        breakEven: flag('break-even'),
        seed: readSeed(invocation),
        skew,
        ...(smallest !== undefined && { smallest }),
        onProgress: terminal.progress('timing shapes'),
      })
      for (const line of describeAnalysis(found, { all: flag('all'), width: terminal.width }))
        terminal.print(line)
      if (found.skipped.length > 0) {
        const [{ name, reason }] = found.skipped as [(typeof found.skipped)[number]]
        terminal.note(`note: ${plural(found.skipped.length, 'layer')} not timed; of "${name}", ${reason}`)
      }
      terminal.note(`timed on the ${describeEngine(found)}`)
      const { backend: _, isa: __, threads: ___, ...rest } = found
      const result = { file, ...engineForJSON(found), skew, ...rest }
      if (target !== undefined) {
        const json = `${JSON.stringify(toJSON(result), null, 2)}\n`
        await writeFile(target, [new TextEncoder().encode(json)])
        terminal.note(`saved the analysis to ${target}`)
      }
      return result
    })
  },
})

/** Throws `usage`. */
function imposeOption({ texts }: Invocation): Imposition[] {
  return texts('impose').map(given => {
    try {
      return readImposition(given)
    } catch (error) {
      throw error instanceof EspalierError
        ? usage(`--impose: ${error.summary}`, error.hint, error.expected)
        : error
    }
  })
}

/** Throws `usage`. */
function skewOption(invocation: Invocation): number {
  const [skew = 0, ...others] = numbersOption(invocation, 'skew') ?? []
  if (skew >= 0 && skew <= 4 && others.length === 0) return skew
  throw usage(`--skew is no number in range: "${invocation.text('skew')}"`, undefined, '0 to 4')
}
