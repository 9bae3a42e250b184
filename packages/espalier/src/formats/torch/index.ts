/**
 * PyTorch checkpoints (`.pt`, `.pth`, `.ckpt`): reading only. They are pickles, which Python executes when it loads
 * them; here they are parsed as data and nothing in them can run. Both forms are read, zip (PyTorch 1.6 and later)
 * and legacy. Tensors come straight from the file into aligned buffers, storages that are not needed stay there.
 */
import { EspalierError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Format, NamedTensors } from '../format.ts'
import { type Input, withSource } from '../io/files.ts'
import type { ByteSource } from '../io/source.ts'
import { type Checkpoint, loadTensors } from './checkpoint.ts'
import { isLegacyCheckpoint, parseLegacyCheckpoint } from './legacy-checkpoint.ts'
import type { UnknownGlobals } from './pickle/machine.ts'
import type { PyValue } from './pickle/python.ts'
import { findStateDict } from './state-dict.ts'
import { parseZipCheckpoint } from './zip-checkpoint.ts'

export type { UnknownGlobals } from './pickle/machine.ts'
export type {
  PyGlobal,
  PyMap,
  PyObject,
  PyStorage,
  PyTensor,
  PyValue,
} from './pickle/python.ts'

export interface TorchOptions {
  /**
   * What to do when a checkpoint asks for a class or function that is not on the list of harmless ones: refuse the
   * file (`refuse`, when left out), or put a {@link PyObject} in its place (`placeholder`): its class name and what
   * it was made from. Nothing is run in either case.
   */
  readonly unknownGlobals?: UnknownGlobals
}

export interface ReadTorchOptions extends TorchOptions {
  /** The entry of the outermost dict to take tensors from, in place of the one that the rule finds. */
  readonly key?: string
}

/**
 * The weights in a checkpoint, by name; numbers and texts that stand beside them (`epoch`) are its metadata. A dict
 * with tensors of its own is taken as it is. Of other dicts, the first of the entries `state_dict`,
 * `model_state_dict`, `model`, `module`, `net` is taken that leads to tensors, and without those, every tensor
 * there is. Keys on the way are joined with dots.
 *
 * Throws `unsafe` when the file asks for code, `malformed` or `truncated` when it is broken, `unsupported-format`
 * for TorchScript, for files of PyTorch before 0.1.10 and for tensors that are sparse or quantised, `too-large` when
 * a file asks for far more memory than it has bytes.
 */
export function readTorch(input: Input, options: ReadTorchOptions = {}): Promise<NamedTensors> {
  return withSource(input, source => readStateDict(source, options))
}

/** The whole Python object in a checkpoint, as plain data: see {@link PyValue}. Throws as {@link readTorch} does. */
export function readTorchObject(input: Input, options: TorchOptions = {}): Promise<PyValue> {
  return withSource(input, async source => {
    const checkpoint = await parseCheckpoint(source, options)
    await loadTensors(checkpoint, checkpoint.views.keys(), source.size)
    return checkpoint.value
  })
}

export const torch: Format = {
  name: 'torch',
  title: 'PyTorch checkpoint',
  extensions: ['pt', 'pth', 'ckpt', 'th', 'pth.tar'],
  holds: 'tensors',
  detect: head => isLegacyCheckpoint(head) || isZipCheckpoint(head),
  read: async source => ({ kind: 'tensors', ...(await readStateDict(source, {})) }),
}

async function readStateDict(source: ByteSource, options: ReadTorchOptions): Promise<NamedTensors> {
  const checkpoint = await parseCheckpoint(source, options)
  const { tensors, metadata } = findStateDict(checkpoint.value, options.key)
  await loadTensors(checkpoint, tensors.values(), source.size)
  const named = new Map<string, Tensor>([...tensors].map(([name, { tensor }]) => [name, tensor]))
  return metadata.size > 0 ? { tensors: named, metadata } : { tensors: named }
}

async function parseCheckpoint(
  source: ByteSource,
  { unknownGlobals = 'refuse' }: TorchOptions,
): Promise<Checkpoint> {
  const head = await source.read(0, Math.min(HEAD, source.size))
  if (isZip(head)) return parseZipCheckpoint(source, unknownGlobals)
  if (isLegacyCheckpoint(head)) return parseLegacyCheckpoint(source, unknownGlobals)
  if (isTar(head))
    throw new EspalierError(
      'unsupported-format',
      'this checkpoint is a tar file, as PyTorch wrote them before 0.1.10',
      {
        hint: 'Load and save it with PyTorch: torch.save(torch.load(path), path)',
      },
    )
  throw new EspalierError('unsupported-format', 'this is not a PyTorch checkpoint', {
    expected: 'a zip file or a pickle with the magic number of PyTorch',
  })
}

/** First bytes that tell the kinds apart: a tar file says what it is at byte 257. */
const HEAD = 512

function startsWith(bytes: Uint8Array, text: string, at: number): boolean {
  return Array.from(text).every((char, index) => bytes[at + index] === char.charCodeAt(0))
}

function isZip(head: Uint8Array): boolean {
  return startsWith(head, 'PK\x03\x04', 0)
}

function isTar(head: Uint8Array): boolean {
  return startsWith(head, 'ustar', 257)
}

/** Whether a zip file begins as checkpoints do, with an entry `FOLDER/data.pkl`. A long name may be cut off. */
function isZipCheckpoint(head: Uint8Array): boolean {
  if (!isZip(head) || head.length < 30) return false
  const length = head[26]! | (head[27]! << 8)
  const name = String.fromCharCode(...head.subarray(30, 30 + length))
  return (
    name.length < length || /^[^/]*\/(data\.pkl|data\/\w+|version|byteorder|\.format_version)$/.test(name)
  )
}
