/** Numbers, bytes, lists and tables as people read them. */

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `1 node`, `2 nodes`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** Bytes with a unit of 1024: `3.00 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let size = value
  // 1023.96 KiB would be shown as 1024.0.
  while (size >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return unit === 0 ? `${size} B` : `${size.toFixed(size < 9.995 ? 2 : 1)} ${units[unit]}`
}

/**
 * A large number with a decimal unit: `41.2 M`. In an expression every number is written so: `3000*batch+1` as
 * `3.00 k x batch + 1`. `null` is `?`.
 */
export function amount(value: number | string | null): string {
  if (value === null) return '?'
  if (typeof value === 'number') return shortAmount(value)
  return value.replace(/"[^"]*"|[A-Za-z_][\w.]*|\d+|[*+-]/g, part => {
    if (/^\d/.test(part)) return shortAmount(Number(part))
    if (part === '*') return ' x '
    return part === '+' || part === '-' ? ` ${part} ` : part
  })
}

function shortAmount(value: number): string {
  // 999.6 k would be shown as 1.00e+3 k.
  for (const [unit, size] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size * 0.9995 && value >= 1000) return `${(value / size).toPrecision(3)} ${unit}`
  return `${value}`
}

/** A share as a percentage: `12.3 %`. A small share that is not 0 is `<0.1 %`, a large one that is not 1 `>99.9 %`. */
export function percent(fraction: number): string {
  if (fraction > 0 && fraction < 0.0005) return '<0.1 %'
  if (fraction < 1 && fraction >= 0.9995) return '>99.9 %'
  return `${(100 * fraction).toFixed(1)} %`
}

/** Milliseconds without their unit, with three digits or so: `0.123`, `1.23`, `12.3`, `1,234`. */
export function milliseconds(value: number): string {
  if (value >= 99.95) return count(Math.round(value))
  if (value > 0 && value < 0.00995) return value.toFixed(4)
  return value.toFixed(value < 0.9995 ? 3 : value < 9.995 ? 2 : 1)
}

/** A number with six digits, as short as it can be. */
export function brief(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}` : `${Number(value.toPrecision(6))}`
}

/** `text`, shortened in the middle to at most `width` characters; more is kept of its end, where names differ. */
export function shorten(text: string, width: number): string {
  const characters = Array.from(text)
  if (characters.length <= width) return text
  const head = Math.floor((width - 1) / 3)
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (width - 1 - head)).join('')}`
}

/** Text broken at spaces into lines of at most `width` characters, indented as it is; a longer word has its own line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    const indent = /^ */.exec(paragraph)![0]
    let line = ''
    for (const word of paragraph.slice(indent.length).split(' ')) {
      if (line !== '' && indent.length + line.length + 1 + word.length > width) {
        lines.push(indent + line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(indent + line)
  }
  return lines
}

/** Labels and what they say, one below the other; long values go on in the next line. Empty ones are left out. */
export function facts(
  rows: readonly (readonly [label: string, value: string | readonly string[]])[],
  width: number,
): string[] {
  const shown = rows.filter(([, value]) => value.length > 0)
  const indent = Math.max(...shown.map(([label]) => label.length)) + 2
  return shown.flatMap(([label, value]) =>
    (typeof value === 'string' ? [value] : value)
      .flatMap(text => wrap(text, Math.max(20, width - indent)))
      .map((line, index) => `${(index === 0 ? label : '').padEnd(indent)}${line}`),
  )
}

export interface Column {
  readonly title?: string
  readonly align?: 'left' | 'right'
  /** Where lines would be too long, cells are shortened down to this many characters. */
  readonly shrinkTo?: number
  /** Where that is not enough, columns are left out, highest number first. */
  readonly drop?: number
}

/** Rows under titles (none when no column has one), columns aligned, two spaces apart and fitted to `width`. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number = Number.POSITIVE_INFINITY,
): string[] {
  const titles = columns.map(({ title = '' }) => title)
  const lines = titles.every(title => title === '') ? rows : [titles, ...rows]
  const widths = columns.map((_, index) => Math.max(...lines.map(row => Array.from(row[index]!).length)))
  const over = (): number => widths.reduce((sum, w) => sum + w, 2 * (widths.length - 1)) - width
  for (const [index, { shrinkTo }] of columns.entries())
    if (shrinkTo !== undefined && over() > 0)
      widths[index] = Math.max(Math.min(shrinkTo, widths[index]!), widths[index]! - over())
  const most = Math.max(...columns.map(({ drop = 0 }) => drop))
  if (over() > 0 && most > 0) {
    const kept = columns.map(({ drop = 0 }) => drop !== most)
    const pick = <T>(items: readonly T[]): T[] => items.filter((_, index) => kept[index])
    return table(pick(columns), rows.map(pick), width)
  }
  const cellText = (cell: string, index: number): string => {
    const text = shorten(cell, widths[index]!)
    const padding = ' '.repeat(widths[index]! - Array.from(text).length)
    return columns[index]!.align === 'right' ? padding + text : text + padding
  }
  return lines.map(row => row.map(cellText).join('  ').trimEnd())
}
