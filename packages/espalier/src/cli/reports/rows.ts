/** Which rows of a long table are shown: the largest, in their own order, with a last row for what is left out. */

/** Rows that fit on a screen below what is above them. */
export const MOST_ROWS = 24

export interface Selection<T> {
  readonly shown: readonly T[]
  readonly rest: readonly T[]
}

/** All of `items`, or the `MOST_ROWS` largest of them. */
export function largest<T>(items: readonly T[], sizeOf: (item: T) => number, all: boolean): Selection<T> {
  // One row for the rest would say less than one more of them.
  if (all || items.length <= MOST_ROWS + 1) return { shown: items, rest: [] }
  const kept = new Set([...items].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, MOST_ROWS))
  return { shown: items.filter(item => kept.has(item)), rest: items.filter(item => !kept.has(item)) }
}

export function total<T>(items: readonly T[], f: (item: T) => number): number {
  return items.reduce((sum, item) => sum + f(item), 0)
}
