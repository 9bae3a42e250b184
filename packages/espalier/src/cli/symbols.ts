/** Reading `--symbol batch=8`: values for the symbolic dimensions of a model. */
import { EspalierError } from '../errors.ts'
import { symbolsOf } from '../graph/dim.ts'
import type { Graph } from '../graph/graph.ts'
import type { OptionSpec } from './command.ts'

export const symbolOption: OptionSpec = {
  type: 'string',
  short: 's',
  multiple: true,
  value: 'NAME=N',
  doc: 'Value of a symbolic dimension, as batch=8; may be repeated',
}

/** Values by symbol. Throws `usage` for bad text and for a symbol that the graph's inputs do not have. */
export function readSymbols(texts: readonly string[], graph: Graph): Map<string, number> {
  const known = new Set(
    graph.inputs.flatMap(({ name, type }) =>
      type?.kind === 'tensor'
        ? (type.shape ?? []).flatMap((dim, axis) => (dim === null ? [`${name}_dim${axis}`] : symbolsOf(dim)))
        : [],
    ),
  )
  return new Map(
    texts.map(text => {
      const split = text.lastIndexOf('=')
      const [name, value] = [text.slice(0, split), Number(text.slice(split + 1))]
      if (split < 1 || !Number.isSafeInteger(value) || value < 0 || text.endsWith('='))
        throw new EspalierError('usage', `not a dimension: "${text}"`, {
          expected: 'NAME=NUMBER, as batch=8',
        })
      if (!known.has(name))
        throw new EspalierError('usage', `the model has no symbolic dimension "${name}"`, {
          expected: [...known].join(', ') || 'none: all dimensions are fixed',
        })
      return [name, value]
    }),
  )
}
