/**
 * Damage that knows ONNX: a model is decoded, one field of one message is changed to something that a reader or an
 * operator may trip over, and the model is encoded again, so that all lengths are right and only the meaning is not.
 */
import { concatBytes } from '../io/bytes.ts'
import { memorySource } from '../io/source.ts'
import type { Choices, Mutator } from '../mutations.suite.ts'
import { type Decoded, decodeMessage, noFindings } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { type Field, modelTable, type Payload, type Table } from './proto.ts'
import { Cursor } from './wire.ts'

/** A field of a message that is set. */
interface Site {
  readonly message: Decoded
  readonly field: Field
}

/** Everything in a model that can be changed. */
interface Sites {
  readonly fields: readonly Site[]
  /** Every text in the model: the best names to confuse it with. */
  readonly names: readonly string[]
}

/** The mutations, by name. */
export const structural: Readonly<Record<string, Mutator>> = {
  'change integers': changing(['integer', 'integers'], (site, choices) =>
    onList(site, choices, old => choices.pick([...INTEGERS, Number(old) + 1, Number(old) - 1, -Number(old)])),
  ),
  'change many integers': changing(['integers'], ({ message, field }, choices) => {
    const list = message[field.name] as (number | bigint)[]
    const length = choices.pick([0, 1, 2, 3, 5, 9, 1000])
    message[field.name] = Array.from({ length }, (_, i) => list[i] ?? choices.pick(INTEGERS))
  }),
  'change floats': changing(['float', 'floats'], (site, choices) =>
    onList(site, choices, () =>
      choices.pick([0, -0, 1, -1, 0.5, 1e30, -1e30, 1e-40, Number.NaN, Infinity, -Infinity]),
    ),
  ),
  'confuse names': changing(['string', 'strings'], (site, choices, { names }) =>
    onList(site, choices, () => choices.pick([...names, ...NAMES])),
  ),
  'swap names': changing(['strings'], ({ message, field }, choices) => {
    const list = message[field.name] as string[]
    const [a, b] = [choices.int(list.length), choices.int(list.length)]
    message[field.name] = list.with(a, list[b]!).with(b, list[a]!)
  }),
  'change operators': changing(['string'], ({ message, field }, choices, { names }) => {
    if (field.name === 'op') message.op = choices.pick([...OPERATORS, ...names])
  }),
  'repeat, drop or move entries': changing(
    ['messages', 'strings', 'integers', 'floats', 'byteses'],
    ({ message, field }, choices) => {
      const list = message[field.name] as unknown[]
      const [from, to] = [choices.int(list.length), choices.int(list.length + 1)]
      const times = choices.pick([1, 1, 2, 8])
      message[field.name] = choices.pick([
        list.toSpliced(from, 1),
        list.toSpliced(to, 0, ...new Array<unknown>(times).fill(list[from])),
        list.toSpliced(from, 1).toSpliced(Math.min(to, list.length - 1), 0, list[from]),
      ])
    },
  ),
  'drop fields': changing(undefined, ({ message, field }) => void delete message[field.name]),
  'put messages in place of others': changing(['message', 'messages'], (site, choices, { fields }) => {
    const table = site.field.table!()
    const others = fields.filter(other => other.field.table?.() === table)
    const { message, field } = choices.pick(others)
    const found = message[field.name]
    const graft = Array.isArray(found) ? choices.pick(found) : found
    onList(site, choices, () => structuredClone(graft))
  }),
  'change elements': changing(['payload', 'payloads'], (site, choices) =>
    onList(site, choices, old => {
      const bytes = (old as Payload).bytes!.slice()
      const width = choices.pick([1, 4, 8])
      const at = width * choices.int(Math.floor(bytes.length / width) + 1)
      const value = BigInt.asUintN(64, BigInt(choices.pick(INTEGERS)))
      for (let i = 0; i < width && at + i < bytes.length; i++)
        bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn)
      const length = choices.pick([bytes.length, bytes.length, bytes.length, 0, 1, bytes.length + 8])
      const result = new Uint8Array(length)
      result.set(bytes.subarray(0, length))
      return { offset: 0, length, bytes: result }
    }),
  ),
}

const INTEGERS: readonly (number | bigint)[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 16, 17, 21, 22, 24, 26, 27, 63, 64, 100, 255, 1000, 4097],
  ...[-1, -2, -3, -4, -100, 2 ** 16, 2 ** 20, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1],
  ...[-(2 ** 31), -(2 ** 40), 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)],
]

const NAMES: readonly string[] = [
  ...[
    '',
    'x',
    'y',
    '__proto__',
    'constructor',
    'ai.onnx',
    'ai.onnx.ml',
    'com.microsoft',
    'SAME_UPPER',
    'NOTSET',
  ],
  ...[
    'a,b->c',
    '...ii->...',
    '../../etc/passwd',
    '/etc/passwd',
    '0',
    '-1',
    'n*n',
    'floordiv(n,2)',
    '(((',
    'n'.repeat(3000),
  ],
]

const OPERATORS: readonly string[] = [
  ...[
    'Add',
    'Concat',
    'ConstantOfShape',
    'Conv',
    'Einsum',
    'Expand',
    'Flatten',
    'Gather',
    'If',
    'Loop',
    'MatMul',
  ],
  ...[
    'OneHot',
    'Pad',
    'Range',
    'Reshape',
    'Resize',
    'RoiAlign',
    'Scan',
    'Shape',
    'Slice',
    'Split',
    'Tile',
    'Transpose',
  ],
]

/** A mutator that changes one set field of the given kinds; of any kind when they are left out. */
function changing(
  kinds: readonly Field['kind'][] | undefined,
  change: (site: Site, choices: Choices, sites: Sites) => void,
): Mutator {
  return (bytes, choices) => {
    const model = decoded(bytes)
    if (model === undefined) return bytes
    const fields: Site[] = []
    const names: string[] = []
    collect(model, modelTable, fields, names)
    const fitting = fields.filter(({ field }) => kinds === undefined || kinds.includes(field.kind))
    if (fitting.length === 0) return bytes
    change(choices.pick(fitting), choices, { fields, names })
    try {
      return concatBytes(encodeMessage(model, modelTable))
    } catch {
      return bytes // an integer left 64 bits
    }
  }
}

function decoded(bytes: Uint8Array): Decoded | undefined {
  const found = noFindings()
  const source = memorySource(bytes)
  try {
    const model = decodeMessage(new Cursor(source), bytes.length, modelTable, found)
    for (const payload of found.payloads) payload.bytes = source.readSync(payload.offset, payload.length)
    return model
  } catch {
    return undefined
  }
}

function collect(message: Decoded, table: Table, fields: Site[], names: string[]): void {
  for (const field of table.values()) {
    const value = message[field.name]
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    fields.push({ message, field })
    if (field.kind === 'string') names.push(value as string)
    if (field.kind === 'strings') names.push(...(value as string[]))
    const inner = field.kind === 'message' ? [value] : field.kind === 'messages' ? (value as unknown[]) : []
    for (const part of inner) collect(part as Decoded, field.table!(), fields, names)
  }
}

/** Changes the value of a field, or one entry where it is a list. */
function onList({ message, field }: Site, choices: Choices, change: (old: unknown) => unknown): void {
  const old = message[field.name]
  if (!Array.isArray(old)) message[field.name] = change(old)
  else {
    const at = choices.int(old.length)
    message[field.name] = old.with(at, change(old[at]))
  }
}
