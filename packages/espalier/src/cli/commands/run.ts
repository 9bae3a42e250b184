/** `espalier run`: a model once, on real or random inputs. */
import { EspalierError, locateAsync } from '../../errors.ts'
import { writeTensors } from '../../formats/index.ts'
import { describeType } from '../../graph/describe.ts'
import { load } from '../../model.ts'
import { reference } from '../../runtime/reference.ts'
import { dtypeInfo } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../../tensor/tensor.ts'
import { type Command, command } from '../command.ts'
import { readFeeds } from '../inputs.ts'
import { readSymbols, symbolOption } from '../symbols.ts'
import type { Terminal } from '../terminal.ts'

export const run: Command = command({
  name: 'run',
  summary: 'Run a model on arrays, pictures or random numbers, and show or save what it gives',
  positionals: 'MODEL',
  arity: [1, 1],
  options: {
    input: {
      type: 'string',
      short: 'i',
      multiple: true,
      value: 'NAME=FILE',
      doc: 'An input: .npy, .npz, .safetensors, IDX, or a picture; may be repeated',
    },
    random: {
      type: 'boolean',
      doc: 'Fill the remaining inputs with random numbers (normal; 0 and 1 for integers)',
    },
    seed: { type: 'string', value: 'N', doc: 'Seed of the random numbers; 0 when left out' },
    symbol: symbolOption,
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      doc: 'Save the outputs: .npz or .safetensors, .npy for one',
    },
    value: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      doc: 'Give this value of the graph instead of the outputs',
    },
    scale: {
      type: 'string',
      value: 'X',
      doc: 'Pictures: factor on the bytes; 1/255 for float inputs when left out',
    },
    mean: { type: 'string', value: 'R,G,B', doc: 'Pictures: subtracted after scaling' },
    std: { type: 'string', value: 'R,G,B', doc: 'Pictures: divided by, last' },
  },
  examples: [
    { line: 'run model.onnx --random', doc: 'does it run, and what comes out' },
    { line: 'run model.onnx --input x=x.npy -o y.npz', doc: 'arrays in, arrays out' },
    {
      line: 'run resnet.onnx --input photo.jpg --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225',
      doc: 'a picture, normalised as ImageNet models want it',
    },
    {
      line: 'run model.onnx --random --symbol batch=8 --seed 1',
      doc: 'a batch of 8, always the same numbers',
    },
  ],
  async run({ positionals, text, texts, flag, integer, terminal }) {
    const file = positionals[0]!
    const graph = await load(file)
    return locateAsync({ file }, async () => {
      const outputs = texts('value')
      const feeds = await readFeeds(graph, {
        files: texts('input'),
        random: flag('random'),
        seed: integer('seed', { min: 0 }) ?? 0,
        symbols: readSymbols(texts('symbol'), graph),
        picture: {
          ...list('mean', text('mean')),
          ...list('std', text('std')),
          ...scaleOf(text('scale')),
        },
        terminal,
      })
      const prepared = reference.prepare(graph, {
        seed: integer('seed') ?? 0,
        onProgress: terminal.progress('running'),
        ...(outputs.length > 0 && { outputs }),
      })
      const started = performance.now()
      const results = prepared.run(feeds)
      const milliseconds = performance.now() - started
      prepared.dispose()
      for (const [name, value] of results) printValue(terminal, name, value)
      terminal.note(
        `ran on the ${reference.name} back end in ${milliseconds.toFixed(1)} ms, exact and unoptimised`,
      )
      const target = text('output')
      if (target !== undefined) {
        await writeTensors(target, tensorsOf(results))
        terminal.note(`saved ${[...results.keys()].join(', ')} to ${target}`)
      }
      return {
        file,
        backend: reference.name,
        milliseconds,
        outputs: target === undefined ? jsonValues(results) : [...results.keys()],
      }
    })
  },
})

function list(
  name: 'mean' | 'std',
  given: string | undefined,
): { readonly [key: string]: readonly number[] } {
  if (given === undefined) return {}
  const values = given.split(',').map(Number)
  if (given.trim() !== '' && values.every(Number.isFinite)) return { [name]: values }
  throw new EspalierError('usage', `--${name} is not a list of numbers: "${given}"`)
}

function scaleOf(given: string | undefined): { readonly scale?: number } {
  if (given === undefined) return {}
  const [above, below = '1'] = given.split('/')
  const scale = Number(above) / Number(below)
  if (given.trim() !== '' && Number.isFinite(scale)) return { scale }
  throw new EspalierError('usage', `--scale is not a number: "${given}"`, { expected: '0.5 or 1/255' })
}

function tensorsOf(results: ReadonlyMap<string, RuntimeValue>): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>()
  for (const [name, value] of results) {
    if (!isTensor(value))
      throw new EspalierError('unsupported-format', 'only tensors can be saved', {
        where: { tensor: name },
        got: value === null ? 'an empty optional' : 'a sequence',
      })
    tensors.set(name, value)
  }
  return tensors
}

const SHOWN = 8

function printValue(terminal: Terminal, name: string, value: RuntimeValue): void {
  if (!isTensor(value)) {
    terminal.print(
      `${terminal.style('bold', name)}  ${value === null ? 'empty optional' : `sequence of ${value.length}`}`,
    )
    for (const [index, item] of (value ?? []).entries()) printValue(terminal, `  [${index}]`, item)
    return
  }
  const { dtype, shape } = value
  terminal.print(`${terminal.style('bold', name)}  ${describeType({ kind: 'tensor', dtype, shape })}`)
  if (value.dtype === 'string') {
    terminal.print(
      `  ${value.data
        .slice(0, SHOWN)
        .map(text => JSON.stringify(text))
        .join(', ')}`,
    )
    return
  }
  const values = numbers(value)
  if (values.length === 0) return
  const rest = values.length > SHOWN ? ', ...' : ''
  terminal.print(`  ${Array.from(values.subarray(0, SHOWN), short).join(', ')}${rest}`)
  if (values.length <= 1 || dtypeInfo(dtype).kind === 'bool') return
  const { min, max, mean, notFinite } = summary(values)
  terminal.print(`  min ${short(min)}, max ${short(max)}, mean ${short(mean)}`)
  if (notFinite > 0) terminal.warn(`"${name}" holds ${notFinite} values that are not finite`)
}

function summary(values: Float64Array): { min: number; max: number; mean: number; notFinite: number } {
  let [min, max, total, notFinite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (const value of values) {
    min = Math.min(min, value)
    max = Math.max(max, value)
    total += value
    if (!Number.isFinite(value)) notFinite++
  }
  return { min, max, mean: total / values.length, notFinite }
}

function short(value: number): string {
  return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(6))}`
}

/** Outputs with their elements, for `--json`. */
function jsonValues(results: ReadonlyMap<string, RuntimeValue>): unknown {
  const convert = (value: RuntimeValue): unknown => {
    if (!isTensor(value)) return value?.map(convert) ?? null
    const { dtype, shape } = value
    return { dtype, shape, data: dtype === 'string' ? value.data : numbers(value) }
  }
  return Object.fromEntries([...results].map(([name, value]) => [name, convert(value)]))
}
