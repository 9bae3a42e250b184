/** Values as people look at them: type, first elements, a few figures. */
import { summarize } from '../analysis/summary.ts'
import { describeType } from '../graph/describe.ts'
import { isBigInt } from '../tensor/dtype.ts'
import { bigints, numbers } from '../tensor/elements.ts'
import { isTensor, type RuntimeValue, type Tensor } from '../tensor/tensor.ts'
import type { Terminal } from './terminal.ts'
import { brief, count, plural, shorten } from './text.ts'

/** Elements and items that are shown. */
const SHOWN = 8

/** Prints a value under its name; warns of numbers that are none. */
export function printValue(terminal: Terminal, name: string, value: RuntimeValue, indent = ''): void {
  const title = `${indent}${terminal.style('bold', name)}  `
  if (!isTensor(value)) {
    terminal.print(title + (value === null ? 'empty optional' : `sequence of ${value.length}`))
    for (const [index, item] of (value ?? []).slice(0, SHOWN).entries())
      printValue(terminal, `${name}[${index}]`, item, `${indent}  `)
    if (value !== null && value.length > SHOWN)
      terminal.print(`${indent}  and ${count(value.length - SHOWN)} more`)
    return
  }
  const { dtype, shape } = value
  terminal.print(title + describeType({ kind: 'tensor', dtype, shape }))
  const shown = firstElements(value)
  if (shown.length === 0) return
  const figures = summarize(value)
  const total = figures?.count ?? value.data.length
  terminal.print(`${indent}  ${shown.join(', ')}${total > shown.length ? ', ...' : ''}`)
  if (figures === undefined || total === 1) return
  const { min, max, mean, std, nans, infinities } = figures
  terminal.print(
    `${indent}  min ${brief(min)}, max ${brief(max)}, mean ${brief(mean)}, standard deviation ${brief(std)}`,
  )
  const bad = [
    ...(nans > 0 ? [`${count(nans)} NaN`] : []),
    ...(infinities > 0 ? [`${count(infinities)} infinite`] : []),
  ]
  if (bad.length > 0)
    terminal.warn(`"${name}" holds ${bad.join(' and ')} among ${plural(figures.count, 'number')}`)
}

function firstElements(tensor: Tensor): string[] {
  if (tensor.dtype === 'string')
    return tensor.data.slice(0, SHOWN).map(text => shorten(JSON.stringify(text), 60))
  if (isBigInt(tensor.dtype)) return Array.from(bigints(tensor).slice(0, SHOWN), String)
  return Array.from(numbers(tensor).subarray(0, SHOWN), brief)
}
