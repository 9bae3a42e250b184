/** Reading `--symbol batch=8`: values for the symbolic dimensions of a model. */
import type { OptionSpec } from './command.ts'
import { usage } from './command.ts'
import { nearest } from './suggest.ts'

export const symbolOption: OptionSpec = {
  type: 'string',
  short: 's',
  multiple: true,
  value: 'NAME=N',
  doc: 'Value of a symbolic dimension, as batch=8; may be repeated',
}

/** Values by symbol. Throws `usage` for what is not NAME=N, for a symbol that stands twice or is given twice. */
export function readSymbols(texts: readonly string[]): Map<string, number> {
  const values = new Map<string, number>()
  for (const text of texts) {
    const found = /^(.+)=(\d{1,15})$/.exec(text)
    if (found === null)
      throw usage(`--symbol is not a dimension: "${text}"`, undefined, 'NAME=NUMBER, as batch=8')
    const [, name, value] = found as unknown as [string, string, string]
    if (values.has(name)) throw usage(`--symbol gives "${name}" twice`)
    values.set(name, Number(value))
  }
  return values
}

/** Throws `usage` for a symbol that is not one of `known`, those of the inputs of a model. */
export function checkSymbols(values: ReadonlyMap<string, number>, known: readonly string[]): void {
  for (const name of values.keys()) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    throw usage(
      `the model has no symbolic dimension "${name}"`,
      near === undefined ? undefined : `Did you mean ${near}?`,
      known.join(', ') || 'none: all dimensions are fixed',
    )
  }
}
