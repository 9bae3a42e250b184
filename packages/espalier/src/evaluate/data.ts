/**
 * Labelled data from files: what a model is fed, and the classes that should come out. CIFAR batches and archives that
 * hold both are taken apart by themselves; IDX has labels in a file of their own.
 */
import { EspalierError, locateAsync } from '../errors.ts'
import { imageExtensions } from '../formats/image.ts'
import { type FileContents, readFile } from '../formats/index.ts'
import type { Graph } from '../graph/graph.ts'
import { rowsOfData, tensorRows } from '../runtime/batches.ts'
import { type FeedFile, type FeedFileOptions, readFeeds } from '../runtime/feed-files.ts'
import type { RuntimeValue, Tensor } from '../tensor/tensor.ts'
import type { EvaluationData } from './evaluate.ts'

/** Names of arrays that hold classes. */
const LABELS = ['labels', 'label', 'fine_labels'] as const
/** What else a CIFAR-100 batch has beside pictures and labels. */
const OTHERS = new Set<string>([...LABELS, 'coarse_labels'])

export interface ReadDataOptions extends Omit<FeedFileOptions, 'rows'> {
  /** File of the labels, and the array in it where it holds several. When left out: an array `labels` in a data file, if there is one. */
  readonly labels?: { readonly file: string; readonly array?: string }
  /** Takes only the first rows. */
  readonly limit?: number
}

/** {@link EvaluationData} with its inputs by name. */
export interface LabelledData extends EvaluationData {
  readonly inputs: ReadonlyMap<string, RuntimeValue>
}

/**
 * Inputs and labels. Throws as {@link readFeeds} does, and `bad-argument` where it is not clear which array holds the labels.
 */
export async function readData(
  graph: Graph,
  files: readonly FeedFile[],
  { labels: asked, limit, ...options }: ReadDataOptions = {},
): Promise<LabelledData> {
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  const read = options.read ?? readingOnce()
  const chosen: FeedFile[] = []
  let found: Tensor | undefined
  let rows = Number.POSITIVE_INFINITY
  for (const feed of files) {
    const tensors = await tensorsOf(feed.file, read)
    const label = LABELS.filter(name => !inputs.has(name))
      .map(name => tensors.get(name))
      .find(tensor => tensor !== undefined)
    if (feed.array === undefined) found ??= label
    const arrays = [...tensors.keys()].filter(name => !OTHERS.has(name))
    const named = [...inputs].some(name => tensors.has(name))
    const only = tensors.size > 1 && arrays.length === 1 && !named ? arrays[0] : undefined
    chosen.push(feed.array === undefined && only !== undefined ? { ...feed, array: only } : feed)
    for (const name of arrays) rows = Math.min(rows, tensors.get(name)?.shape[0] ?? rows)
  }
  const cut = limit !== undefined && limit < rows
  const feeds = await readFeeds(graph, chosen, {
    ...options,
    read,
    ...(cut && { rows: { from: 0, to: limit } }),
  })
  const labels = asked === undefined ? found : await labelsIn(asked, read)
  const count = rowsOfData(graph, feeds)
  const fits =
    cut && labels !== undefined && count !== undefined && (labels.shape[0] ?? 0) > count
      ? tensorRows(labels, 0, count)
      : labels
  return { inputs: feeds, ...(fits && { labels: fits }) }
}

type Read = NonNullable<ReadDataOptions['read']>

/** Reads every file once, by `read`. */
export function readingOnce(read: Read = readFile): Read {
  const known = new Map<string, Promise<FileContents>>()
  return file => {
    const contents = known.get(file) ?? read(file)
    known.set(file, contents)
    return contents
  }
}

/** The arrays of a file; none of a picture. */
async function tensorsOf(file: string, read: Read): Promise<ReadonlyMap<string, Tensor>> {
  const extension = file.slice(file.lastIndexOf('.') + 1).toLowerCase()
  if (imageExtensions.includes(extension)) return new Map()
  const contents = await read(file)
  return contents.kind === 'tensors' ? contents.tensors : new Map()
}

function labelsIn(
  { file, array }: { readonly file: string; readonly array?: string },
  read: Read,
): Promise<Tensor> {
  return locateAsync({ file }, async () => {
    const tensors = await tensorsOf(file, read)
    const [first] = tensors.values()
    const named = LABELS.map(name => tensors.get(name)).find(tensor => tensor !== undefined)
    const found = array === undefined ? (tensors.size === 1 ? first : named) : tensors.get(array)
    if (found !== undefined) return found
    throw new EspalierError(
      'bad-argument',
      array === undefined
        ? 'it is not said which array holds the labels'
        : `the file holds no array "${array}"`,
      { expected: [...tensors.keys()].slice(0, 20).join(', ') || 'arrays, and there are none' },
    )
  })
}
