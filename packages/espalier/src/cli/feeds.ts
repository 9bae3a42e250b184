/** The options that say what a model is fed, and the values that they give: from files, at random, or empty optionals. */
import { batchSymbols, inputSymbols } from '../analysis/symbols.ts'
import { EspalierError } from '../errors.ts'
import type { Normalization } from '../formats/image.ts'
import { describeValue } from '../graph/describe.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { readFeeds } from '../runtime/feed-files.ts'
import { requiredInputs } from '../runtime/feeds.ts'
import { randomFeeds } from '../runtime/random-feeds.ts'
import type { RuntimeValue } from '../tensor/tensor.ts'
import { integerOption, numbersOption } from './arguments.ts'
import { type Invocation, type OptionSpec, usage } from './command.ts'
import { readFeedFile, readRows } from './inputs.ts'
import { checkSymbols, readSymbols, symbolOption } from './symbols.ts'

export const feedOptions: Readonly<
  Record<'input' | 'take' | 'random' | 'seed' | 'symbol' | 'scale' | 'mean' | 'std', OptionSpec>
> = {
  input: {
    type: 'string',
    short: 'i',
    multiple: true,
    value: 'NAME=FILE',
    doc: 'An input: npy, npz, safetensors, IDX, CIFAR, a picture; FILE#ARRAY takes one array of several. NAME= may be left out where it is clear. May be repeated',
  },
  take: {
    type: 'string',
    value: 'N or A:B',
    doc: 'Rows of the arrays: the first N, or those from A up to B',
  },
  random: {
    type: 'boolean',
    short: 'r',
    doc: 'Fill the other inputs with random numbers (normal; 0 and 1 for integers)',
  },
  seed: { type: 'string', value: 'N', doc: 'Seed of the random numbers; 0 when left out' },
  symbol: symbolOption,
  scale: {
    type: 'string',
    value: 'X',
    doc: 'Pictures and bytes: factor, first; 1/255 for float inputs when left out',
  },
  mean: { type: 'string', value: 'R,G,B', doc: 'Pictures and bytes: subtracted, second' },
  std: { type: 'string', value: 'R,G,B', doc: 'Pictures and bytes: divided by, last' },
}

/** Seed of random inputs, and of operators that draw numbers. Throws `usage`. */
export function readSeed(invocation: Invocation): number {
  return integerOption(invocation, 'seed', 0) ?? 0
}

/** How bytes become numbers, as `--scale`, `--mean` and `--std` say. Throws `usage`. */
export function readNormalization(invocation: Invocation): Normalization {
  const [scale, ...further] = numbersOption(invocation, 'scale') ?? []
  if (further.length > 0) throw usage('--scale is one number for all channels')
  const [mean, std] = [numbersOption(invocation, 'mean'), numbersOption(invocation, 'std')]
  return { ...(scale !== undefined && { scale }), ...(mean && { mean }), ...(std && { std }) }
}

/**
 * Values for all inputs. Those without a file are filled at random if `random`, as `--random` says when left out; else they
 * are missing. Throws `usage`, `missing-input`, what reading files throws.
 */
export async function makeFeeds(
  graph: Graph,
  invocation: Invocation,
  { random = invocation.flag('random') }: { readonly random?: boolean } = {},
): Promise<Map<string, RuntimeValue>> {
  const { text, texts, terminal } = invocation
  const note = (line: string): void => terminal.note(`note: ${line}`)
  const symbols = readSymbols(texts('symbol'))
  checkSymbols(symbols, inputSymbols(graph))
  const normalization = readNormalization(invocation)
  const take = text('take')
  const feeds = await readFeeds(
    graph,
    texts('input').map(given => readFeedFile(given, graph)),
    {
      symbols,
      normalization,
      ...(take !== undefined && { rows: readRows(take) }),
      onNote: note,
    },
  )
  const open = requiredInputs(graph).filter(({ name }) => !feeds.has(name))
  for (const { name, type } of open)
    if (type?.kind === 'optional') {
      note(`input "${name}" is optional and left empty`)
      feeds.set(name, null)
    }
  const missing = open.filter(({ type }) => type?.kind !== 'optional')
  if (missing.length === 0) return feeds
  if (!random) throw missingInputs(missing)
  for (const symbol of batchSymbols(graph))
    if (!symbols.has(symbol)) {
      symbols.set(symbol, 1)
      note(`${symbol} is taken as 1; --symbol ${symbol}=N for another`)
    }
  for (const [name, value] of randomFeeds(missing, { seed: readSeed(invocation), symbols }))
    feeds.set(name, value)
  return feeds
}

function missingInputs(missing: readonly Value[]): EspalierError {
  return new EspalierError('missing-input', `no value for ${missing.map(describeValue).join(', ')}`, {
    hint: `Give ${missing.map(({ name }) => `--input ${name}=FILE`).join(' ')}, or --random`,
  })
}
