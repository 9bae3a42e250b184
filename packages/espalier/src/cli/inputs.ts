/** Reading `--input image=photo.jpg` and `--input x=arrays.npz#x0`. */
import { existsSync } from 'node:fs'
import type { Graph } from '../graph/graph.ts'
import type { FeedFile } from '../runtime/feed-files.ts'
import { usage } from './command.ts'
import { nearest } from './suggest.ts'

/**
 * What a text names: `FILE`, `INPUT=FILE`, with `#ARRAY` after a file that holds several. Names of inputs and of files
 * may have either sign in them: what exists is meant. Throws `usage` for an input that the model does not have.
 */
export function readFeedFile(
  text: string,
  graph: Graph,
  exists: (path: string) => boolean = existsSync,
): FeedFile {
  const input = graph.inputs
    .map(({ name }) => name)
    .filter(name => text.startsWith(`${name}=`))
    .sort((a, b) => b.length - a.length)[0]
  const rest = input === undefined ? text : text.slice(input.length + 1)
  const { file, array } = readArrayOf(rest, exists)
  const equals = rest.indexOf('=')
  if (input === undefined && equals > 0 && !exists(file)) {
    const names = graph.inputs.map(({ name }) => name)
    const near = nearest(rest.slice(0, equals), names)
    throw usage(
      `the model has no input "${rest.slice(0, equals)}"`,
      near === undefined ? undefined : `Did you mean ${near}${rest.slice(equals)}?`,
      names.join(', ') || 'no input at all',
    )
  }
  return { file, ...(input !== undefined && { input }), ...(array !== undefined && { array }) }
}

/** `FILE` or `FILE#ARRAY`; a file may have the sign in its name, and what exists is meant. */
export function readArrayOf(
  text: string,
  exists: (path: string) => boolean = existsSync,
): { readonly file: string; readonly array?: string } {
  const hash = text.lastIndexOf('#')
  return hash > 0 && !exists(text)
    ? { file: text.slice(0, hash), array: text.slice(hash + 1) }
    : { file: text }
}

/** Rows of `--take`: `8` are the first eight, `100:108` those from 100 on. Throws `usage`. */
export function readRows(text: string): { readonly from: number; readonly to: number } {
  const found = /^(?:(\d{1,15}):)?(\d{1,15})$/.exec(text)
  const [from, to] = [Number(found?.[1] ?? 0), Number(found?.[2])]
  if (found === null || from >= to)
    throw usage(`--take does not name rows: "${text}"`, undefined, '8 or 100:108')
  return { from, to }
}
