/**
 * The one error vocabulary of the library. An error is data: a code a program can branch on, a sentence a
 * person can act on, and the place it happened (file, node, tensor). Everything thrown on purpose is an
 * `EspalierError`; anything else that escapes is a defect of the library.
 */

/** What went wrong, in a form a program can branch on. */
export type ErrorCode =
  // arguments of a call
  | 'bad-argument' // a value outside its documented range
  | 'bad-dtype' // a data type that the operation does not take
  | 'bad-shape' // shapes that do not fit each other
  | 'too-large' // a size no buffer can hold, or beyond a stated limit
  // files
  | 'not-found' // no such file
  | 'io' // the system refused: permission, full disk, a device error
  | 'malformed' // the bytes break the rules of their format
  | 'truncated' // the bytes end too early
  | 'unsafe' // refused for safety: code in a pickle, a path that leaves its folder
  | 'unsupported-format' // a file kind, or a feature of one, that is not implemented
  // graphs
  | 'invalid-graph' // broken rules of the graph itself: cycles, duplicate names, missing values
  | 'unsupported-op' // operators without an implementation; lists every one of them
  | 'unsupported' // an operator's mode that is not implemented
  | 'missing-input' // a run without a value the graph needs
  | 'unknown-input' // a run with a value the graph does not know
  // mathematics
  | 'not-positive-definite'
  | 'singular'
  | 'no-convergence'
  // the surroundings
  | 'missing-dependency' // an optional package is not installed
  | 'disposed' // used after `dispose()`
  | 'not-a-number' // a result holds NaN where that was to be an error
  | 'usage' // a command line that cannot be understood

/** Where it went wrong. Every field is optional; the ones that are known are set. */
export interface ErrorPlace {
  readonly file?: string
  /** Byte position in `file`. */
  readonly offset?: number
  /** Name of the graph node, with its operator: `conv1 (Conv)`. */
  readonly node?: string
  /** Name of a tensor, graph value or array. */
  readonly tensor?: string
  /** Name of an attribute, option or field. */
  readonly field?: string
}

export interface ErrorDetails {
  readonly where?: ErrorPlace
  readonly expected?: string
  readonly got?: string
  /** The next step to take, as a sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

/** Thrown for every failure the library foresees. `message` is complete; the fields are the same facts as data. */
export class EspalierError extends Error {
  override readonly name = 'EspalierError'
  readonly code: ErrorCode
  /** The message without place, expectation and hint. */
  readonly summary: string
  readonly where: ErrorPlace
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly hint: string | undefined

  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    super(formatMessage(summary, details), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.summary = summary
    this.where = details.where ?? {}
    this.expected = details.expected
    this.got = details.got
    this.hint = details.hint
  }

  /** The same error with more of its place known; what is already known wins. */
  at(where: ErrorPlace): EspalierError {
    const { expected, got, hint, cause } = this
    const error = new EspalierError(this.code, this.summary, {
      where: { ...where, ...this.where },
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      ...(hint !== undefined && { hint }),
      ...(cause !== undefined && { cause }),
    })
    // What is printed for an uncaught error: the frames of the throw, under the message as it is now.
    if (this.stack !== undefined) error.stack = this.stack.replace(this.message, () => error.message)
    return error
  }

  toJSON(): Record<string, unknown> {
    const { code, message, where, expected, got, hint } = this
    return { code, message, where, expected, got, hint }
  }
}

/** Runs `body`; an `EspalierError` from it leaves with `where` added to its place. */
export function locate<T>(where: ErrorPlace, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw error instanceof EspalierError ? error.at(where) : error
  }
}

/** The asynchronous form of {@link locate}. */
export async function locateAsync<T>(where: ErrorPlace, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw error instanceof EspalierError ? error.at(where) : error
  }
}

function formatMessage(summary: string, { where = {}, expected, got, hint }: ErrorDetails): string {
  const { file, offset, node, tensor, field } = where
  const places = [
    file !== undefined && (offset !== undefined ? `${file} at byte ${offset}` : file),
    file === undefined && offset !== undefined && `byte ${offset}`,
    node !== undefined && `node ${node}`,
    tensor !== undefined && `tensor "${tensor}"`,
    field !== undefined && `"${field}"`,
  ].filter(part => part !== false)
  let text = places.length > 0 ? `${places.join(', ')}: ${summary}` : summary
  if (expected !== undefined) text += `; expected ${expected}`
  if (got !== undefined) text += `${expected !== undefined ? ',' : ';'} got ${got}`
  // After a summary of several lines a hint would look like the end of the last one.
  if (hint !== undefined) text += summary.includes('\n') ? `\n${hint}` : `. ${hint}`
  return text
}
