import { fuzzSuite } from '../fuzz.suite.ts'
import { concatBytes } from '../io/bytes.ts'
import { memorySource } from '../io/source.ts'
import { type Choices, type Mutator, splice } from '../mutations.suite.ts'
import { encodeZip, storedPart } from '../zip/write.ts'
import { golden, latin1 } from './golden.suite.ts'
import { readTorch, readTorchObject } from './index.ts'
import { builtinGlobals } from './pickle/builtins.ts'
import type { PickleOptions } from './pickle/machine.ts'
import { pickleReader } from './pickle/reader.ts'
import { unpickle } from './pickle/unpickle.ts'

const builtins: PickleOptions = { globals: name => builtinGlobals.get(name), unknownGlobals: 'placeholder' }

/** Reads a file both ways: the whole object, then the weights. */
async function parse(bytes: Uint8Array): Promise<unknown> {
  await readTorchObject(bytes, { unknownGlobals: 'placeholder' })
  return readTorch(bytes, { unknownGlobals: 'placeholder' })
}

/** Views that are not dense may take 64 MiB in any case, and the object is read twice. */
const allowedBytes = (file: Uint8Array) => 2 * (2 ** 26 + 8 * file.length) + 2 ** 20

const OPCODES = Array.from(
  'NIJKLMFGSTUVXBC(012)tl]ae}dsupqrghjciobRPQ.\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96',
  char => char.charCodeAt(0),
)

/** Damages pickled bytes, mostly by putting opcodes and small numbers where others were. */
function damage(bytes: Uint8Array, { int, pick }: Choices): Uint8Array {
  let result = bytes.slice()
  for (let changes = 1 + int(3); changes > 0 && result.length > 0; changes--) {
    const at = int(result.length)
    const inserted = Uint8Array.of(pick([pick(OPCODES), pick(OPCODES), int(256), int(4)]))
    result = splice(result, at, pick([0, 1, 1, 1]), pick([inserted, inserted, inserted.subarray(1)])).slice()
  }
  return result
}

/** Where the pickle lies in a zip checkpoint, and what else is in there, for making it anew with right checksums. */
interface Parts {
  readonly pickle: Uint8Array
  readonly others: readonly (readonly [name: string, content: Uint8Array])[]
}

/** The entries of a golden file, all stored and in order, from their local headers and descriptors. */
function partsOf(name: string): Parts {
  const bytes = golden(name)
  const view = new DataView(bytes.buffer)
  const entries: [string, Uint8Array][] = []
  for (let at = 0; at + 46 <= bytes.length; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue
    const local = view.getUint32(at + 42, true)
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
    const path = String.fromCharCode(...bytes.subarray(at + 46, at + 46 + view.getUint16(at + 28, true)))
    entries.push([path.replace(/^.*?\//, ''), bytes.subarray(start, start + view.getUint32(at + 24, true))])
  }
  const pickle = entries.find(([path]) => path === 'data.pkl')![1]
  return { pickle, others: entries.filter(([path]) => path !== 'data.pkl') }
}

const zipNames = [
  'tensors.pt',
  'training.pt',
  'objects.pt',
  'objects-protocol-5.pt',
  'module.pt',
  'recursive.pt',
]
const zipParts = zipNames.map(partsOf)

function rebuilt({ pickle, others }: Parts): Uint8Array {
  const parts = [['data.pkl', pickle] as const, ...others]
  return concatBytes(encodeZip(parts.map(([name, content]) => storedPart(`a/${name}`, [content]))))
}

const damagedPickle: Mutator = (_, choices) => {
  const { pickle, others } = choices.pick(zipParts)
  return rebuilt({ pickle: damage(pickle, choices), others })
}

/** Another number, often a large one, where the pickle has a small one: sizes, strides, offsets. */
const otherNumber: Mutator = (_, choices) => {
  const { pickle, others } = choices.pick(zipParts)
  const places = [...pickle.keys()].filter(at => pickle[at] === 0x4b)
  const large = Uint8Array.of(
    0x4a,
    choices.int(256),
    choices.int(256),
    choices.pick([0, choices.int(256)]),
    choices.pick([0, 0, 0x7f, 0xff]),
  )
  const changed = splice(
    pickle,
    choices.pick(places),
    2,
    choices.pick([large, Uint8Array.of(0x4b, choices.int(256))]),
  )
  return rebuilt({ pickle: changed, others })
}

const missingEntry: Mutator = (_, choices) => {
  const { pickle, others } = choices.pick(zipParts)
  return rebuilt({ pickle, others: others.filter(() => choices.int(4) > 0) })
}

fuzzSuite({
  name: 'torch zip',
  seeds: zipNames.map(golden),
  parse,
  allowedBytes,
  structural: {
    'a damaged pickle': damagedPickle,
    'more damage': damagedPickle,
    'another number': otherNumber,
    'a missing entry': missingEntry,
  },
})

fuzzSuite({
  name: 'torch legacy',
  seeds: ['tensors-legacy.pt', 'training-legacy.pt', 'objects-protocol-1.pt', 'plain-tensor.pt'].map(golden),
  parse,
  allowedBytes,
  structural: {
    'damage to a pickle': (bytes, choices) => {
      // Storages lie at the end; the magic number and version are left alone.
      const start = 20 + choices.int(Math.max(1, bytes.length - 20))
      const end = Math.min(bytes.length, start + 64)
      return splice(bytes, start, end - start, damage(bytes.subarray(start, end), choices))
    },
  },
})

fuzzSuite({
  name: 'pickle',
  seeds: (JSON.parse(new TextDecoder().decode(golden('values.json'))) as string[]).map(base64 =>
    latin1(atob(base64)),
  ),
  parse: bytes => void unpickle(pickleReader(memorySource(bytes)), builtins),
  structural: { damage },
})
