/** Numbers, bytes and tables as people read them. */

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** Bytes with a unit of 1024: `3.0 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let size = value
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return unit === 0 ? `${size} B` : `${size.toFixed(size < 10 ? 2 : 1)} ${units[unit]}`
}

/** A large number with a decimal unit: `41.2 M`. `3000*batch` becomes `3.00 k x batch`; `null` is `?`. */
export function amount(value: number | string | null): string {
  if (value === null) return '?'
  if (typeof value === 'string') {
    const product = /^(\d+)\*(\w+)$/.exec(value)
    return product ? `${amount(Number(product[1]))} x ${product[2]}` : value
  }
  for (const [unit, size] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`
  return `${value}`
}

/** A share as a percentage: `12.3 %`. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Rows under titles, columns aligned and two spaces apart. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map(row => row[index]!.length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        columns[index]!.align === 'right' ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!),
      )
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...rows.map(line)]
}

/** `text`, shortened in the middle to at most `width` characters. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text
  const head = Math.ceil((width - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`
}
