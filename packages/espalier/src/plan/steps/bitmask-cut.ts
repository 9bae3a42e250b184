/** What the products of few rows with sparse weights have in common, of any data type and layout. */
export const fewRowsFields = {
  x: 'in',
  w: 'in',
  m: 'int',
  n: 'int',
  /** A multiple of the numbers of a word. */
  k: 'int',
  /** Elements between rows of x. */
  xStride: 'int',
} as const

const ownFields = {
  /** Where the beginnings of panels and the words begin in the weight, in bytes. */
  startsAt: 'int',
  wordsAt: 'int',
  /** Words that have a number that is not zero. */
  words: 'int',
} as const

/** The same for a matrix in the layout of sparse/bitmask.ts. */
export const bitmaskCutFields: typeof fewRowsFields & typeof ownFields = { ...fewRowsFields, ...ownFields }
