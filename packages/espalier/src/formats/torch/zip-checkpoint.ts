/**
 * The zip form of checkpoints, PyTorch's own since version 1.6: `NAME/data.pkl` with the object, `NAME/data/KEY`
 * with each storage, `NAME/byteorder`. The object is parsed at once, storages are read when they are loaded.
 */
import { EspalierError, locate } from '../../errors.ts'
import { type ByteSource, memorySource } from '../io/source.ts'
import { openZip, type ZipEntry } from '../zip/read.ts'
import { type Checkpoint, unpickleTensors } from './checkpoint.ts'
import { loadStorageFromBytes } from './legacy-checkpoint.ts'
import type { UnknownGlobals } from './pickle/machine.ts'
import { pickleReader } from './pickle/reader.ts'
import { storageTable } from './storage.ts'

type Entries = ReadonlyMap<string, ZipEntry>

/** Parses a checkpoint in a zip file. Throws `malformed`, `truncated`, `unsafe`, `unsupported-format`, `too-large`. */
export async function parseZipCheckpoint(
  source: ByteSource,
  unknownGlobals: UnknownGlobals,
): Promise<Checkpoint> {
  const entries = await openZip(source, { zeroCrcIsNone: true })
  const pickle = pickleEntry(entries)
  const folder = pickle.name.slice(0, -PICKLE.length)
  if (entries.has(`${folder}constants.pkl`))
    throw new EspalierError('unsupported-format', 'this is a TorchScript program, not a checkpoint', {
      hint: 'Save model.state_dict() with torch.save, or export the model to ONNX',
    })
  const bigEndian = await isBigEndian(entries.get(`${folder}byteorder`))
  const storages = storageTable((key, length, byteLength) => ({
    key,
    length,
    byteLength,
    bigEndian,
    load: readerOf(entries.get(`${folder}data/${key}`), key, byteLength),
  }))
  const file = `${source.name}/${pickle.name}`
  const reader = pickleReader(memorySource(await pickle.read(), file))
  return locate({ file }, () =>
    unpickleTensors(reader, {
      unknownGlobals,
      persistent: storages.resolve,
      loadFromBytes: (bytes, outer) => loadStorageFromBytes(bytes, unknownGlobals, { outer, depth: 1 }),
    }),
  )
}

const PICKLE = 'data.pkl'

function pickleEntry(entries: Entries): ZipEntry {
  const found = [...entries.values()].filter(({ name }) => /^[^/]*\/data\.pkl$/.test(name))
  if (found.length === 1) return found[0]!
  throw new EspalierError('unsupported-format', 'this zip file is not a PyTorch checkpoint', {
    expected: 'one entry FOLDER/data.pkl',
    got:
      found.length > 1
        ? `${found.length} of them`
        : `${[...entries.keys()].slice(0, 4).join(', ') || 'no entries'}`,
  })
}

async function isBigEndian(entry: ZipEntry | undefined): Promise<boolean> {
  if (entry === undefined) return false
  const text = entry.size <= 8 ? String.fromCharCode(...(await entry.read())) : ''
  if (text === 'little' || text === 'big') return text === 'big'
  throw new EspalierError('malformed', 'the byte order of the checkpoint is unknown', {
    expected: '"little" or "big"',
    got: JSON.stringify(text),
  })
}

/** Reads the entry of a storage. Throws `malformed` when it has another size; a storage of no bytes needs no entry. */
function readerOf(entry: ZipEntry | undefined, key: string, byteLength: number): () => Promise<Uint8Array> {
  if ((entry?.size ?? 0) !== byteLength)
    throw new EspalierError('malformed', `storage "${key}" is not as large as its tensors say`, {
      expected: `${byteLength} bytes`,
      got: entry === undefined ? 'none' : `${entry.size}`,
    })
  return async () => (entry === undefined ? new Uint8Array(0) : entry.read())
}
