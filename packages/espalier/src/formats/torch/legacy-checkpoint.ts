/**
 * The form of checkpoints before PyTorch 1.6, which `torch.save` still writes on request: five pickles one after
 * the other - a magic number, a version, facts about the system, the object, the keys of its storages - and then
 * each storage as a count of elements and its bytes, always little-endian. Source: `torch/serialization.py`.
 */
import { EspalierError } from '../../errors.ts'
import { type ByteSource, memorySource } from '../io/source.ts'
import { type Checkpoint, unpickleTensors } from './checkpoint.ts'
import { malformed, type PickleContext, type UnknownGlobals } from './pickle/machine.ts'
import { describePy, isPyGlobal, isPyStorage, type PyValue } from './pickle/python.ts'
import { pickleReader } from './pickle/reader.ts'
import { unpickle } from './pickle/unpickle.ts'
import { type StorageBytes, storageTable } from './storage.ts'

const MAGIC = 0x1950a86a20f9469cfc6cn
const VERSION = 1001
/** The magic number as the binary protocols write it. */
const MAGIC_BYTES = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
/** Most files inside files. */
const MAX_DEPTH = 3

/** Whether a file begins with the magic number, behind a protocol number and perhaps a frame. */
export function isLegacyCheckpoint(head: Uint8Array): boolean {
  const at = head[0] !== 0x80 ? 0 : head[2] === 0x95 ? 11 : 2
  if (MAGIC_BYTES.every((byte, index) => head[at + index] === byte)) return true
  const text = `L${MAGIC}L\n.` // protocols 0 and 1
  return String.fromCharCode(...head.subarray(0, text.length)) === text
}

/** Where a checkpoint lies that is not a file of its own. */
interface Inside {
  readonly outer: PickleContext
  readonly depth: number
}

/** Parses a legacy checkpoint. Throws `malformed`, `truncated`, `unsafe`, `unsupported-format`, `too-large`. */
export function parseLegacyCheckpoint(
  source: ByteSource,
  unknownGlobals: UnknownGlobals,
  inside?: Inside,
): Checkpoint {
  const outer = inside === undefined ? {} : { outer: inside.outer }
  const reader = pickleReader(source)
  /** A pickle of numbers, texts and dicts, which needs no names. */
  const readPlain = () => unpickle(reader, { globals: () => undefined, unknownGlobals: 'refuse', ...outer })

  const magic = readPlain()
  if (magic !== MAGIC)
    throw new EspalierError('unsupported-format', 'this pickle is not a PyTorch checkpoint', {
      expected: `the number ${MAGIC}`,
      got: describePy(magic),
    })
  const version = readPlain()
  if (version !== VERSION)
    throw new EspalierError('unsupported-format', 'the checkpoint has another version', {
      expected: `${VERSION}`,
      got: describePy(version),
    })
  readPlain() // sizes of C types and the like, which play no part
  const places = new Map<string, number>()
  const storages = storageTable((key, length, byteLength) => ({
    key,
    length,
    byteLength,
    bigEndian: false,
    load: () => source.read(places.get(key)!, byteLength),
  }))
  const parsed = unpickleTensors(reader, {
    unknownGlobals,
    ...outer,
    // Classes of modules were stored with their source code; the class alone is of use.
    persistent: id =>
      Array.isArray(id) && id[0] === 'module' && isPyGlobal(id[1]) ? id[1] : storages.resolve(id),
    loadFromBytes: (bytes, context) =>
      loadStorageFromBytes(bytes, unknownGlobals, { outer: context, depth: (inside?.depth ?? 0) + 1 }),
  })
  const keys = readPlain()
  locateStorages(source, keys, reader.position, storages.bytes, places)
  return parsed
}

/** Walks the storages, which begin at `position` in the order of `keys`, and notes where each one's bytes are. */
function locateStorages(
  source: ByteSource,
  keys: PyValue,
  position: number,
  storages: ReadonlyMap<string, StorageBytes>,
  places: Map<string, number>,
): void {
  if (!Array.isArray(keys))
    throw malformed('the checkpoint has no list of storages', { got: describePy(keys) })
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined
    if (storage === undefined || places.has(storage.key))
      throw malformed('the list of storages is not that of the checkpoint', { got: describePy(key) })
    const prefix = source.readSync(position, 8)
    const count = new DataView(prefix.buffer, prefix.byteOffset).getBigInt64(0, true)
    if (count !== BigInt(storage.length))
      throw malformed(`storage "${storage.key}" is not as large as its tensors say`, {
        where: { offset: position },
        expected: `${storage.length} elements`,
        got: `${count}`,
      })
    position += 8
    places.set(storage.key, position)
    position += storage.byteLength
    if (position > source.size)
      throw new EspalierError('truncated', `the file ends inside storage "${storage.key}"`, {
        expected: `at least ${position} bytes`,
        got: `${source.size}`,
      })
  }
  for (const key of storages.keys())
    if (!places.has(key)) throw malformed(`storage "${key}" is not in the list of storages`)
}

/**
 * The storage in a checkpoint of its own, as which plain pickles hold storages (`torch.storage._load_from_bytes`).
 * Throws as {@link parseLegacyCheckpoint} does.
 */
export function loadStorageFromBytes(
  bytes: Uint8Array,
  unknownGlobals: UnknownGlobals,
  inside: Inside,
): PyValue {
  if (inside.depth > MAX_DEPTH) throw malformed('the checkpoint has files inside files inside files')
  const { value } = parseLegacyCheckpoint(memorySource(bytes), unknownGlobals, inside)
  if (isPyStorage(value)) return value
  throw malformed('a file inside the checkpoint is not a storage', { got: describePy(value) })
}
