/**
 * A checkpoint that was parsed and whose tensors are still in the file: the Python object, and for every tensor in
 * it the view that it is. Loading reads each storage that is needed once, and no other.
 */
import { EspalierError } from '../../errors.ts'
import { dtypeInfo } from '../../tensor/dtype.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { swapBytes } from '../io/bytes.ts'
import { numpyGlobals } from './numpy.ts'
import { builtinGlobals } from './pickle/builtins.ts'
import type { PickleContext, UnknownGlobals } from './pickle/machine.ts'
import type { PyTensor, PyValue } from './pickle/python.ts'
import type { PickleReader } from './pickle/reader.ts'
import { unpickle } from './pickle/unpickle.ts'
import { torchGlobals, type Views } from './rebuild.ts'
import type { StorageBytes } from './storage.ts'
import { gatheredBytes, readView, type TensorView } from './view.ts'

export interface Checkpoint {
  readonly value: PyValue
  readonly views: Views
}

/** What a container format - zip or legacy - brings to reading the pickle inside it. */
export interface PickledIn {
  readonly unknownGlobals: UnknownGlobals
  /** Gives the object that a persistent identifier stands for: a storage. */
  persistent(id: PyValue): PyValue
  /** Gives the storage in a file that lies in the pickle, on account of `context`. */
  loadFromBytes(bytes: Uint8Array, context: PickleContext): PyValue
  /** The pickle that the whole file is part of, if it is. */
  readonly outer?: PickleContext
}

/** Reads the pickle of a checkpoint, whose tensors get their data later. Throws as {@link unpickle} does. */
export function unpickleTensors(reader: PickleReader, { loadFromBytes, ...options }: PickledIn): Checkpoint {
  const views: Views = new Map()
  const torch = torchGlobals(views, loadFromBytes)
  const numpy = numpyGlobals()
  const value = unpickle(reader, {
    globals: name => builtinGlobals.get(name) ?? numpy.rule(name) ?? torch(name),
    ...options,
    setState: numpy.setState,
  })
  numpy.finish()
  return { value, views }
}

/**
 * Memory that views which are not dense may take: this much, and this much more for each byte of the file. Real
 * checkpoints hold a few transposed weights and masks; a file that repeats one byte a billion times is refused.
 */
const FREE_GATHER = 2 ** 26
const GATHER_PER_BYTE = 8

/** Gives `tensors` of a checkpoint their data, by reading the storages that they are views of. */
export async function loadTensors(
  { views }: Checkpoint,
  tensors: Iterable<PyTensor>,
  fileSize: number,
): Promise<void> {
  const byStorage = new Map<StorageBytes, PyTensor[]>()
  let gathered = 0
  for (const tensor of tensors) {
    const view = views.get(tensor)
    if (view === undefined) continue // a NumPy array, which came with its data
    gathered += gatheredBytes(view)
    if (gathered > FREE_GATHER + GATHER_PER_BYTE * fileSize)
      throw new EspalierError('too-large', 'tensors of the file are far larger than the file', {
        got: `one of shape ${formatShape(view.shape)} on ${view.storage.length} elements`,
      })
    const { bytes } = view.storage
    const list = byStorage.get(bytes)
    if (list === undefined) byStorage.set(bytes, [tensor])
    else list.push(tensor)
  }
  for (const [storage, list] of byStorage) {
    const bytes = await storage.load()
    const bytesFor = storage.bigEndian ? swapped(bytes) : () => bytes
    const read = new Map<TensorView, Tensor>() // a parameter and its tensor have one view
    for (const tensor of list) {
      const view = views.get(tensor)!
      const data = read.get(view) ?? readView(view, bytesFor(view))
      read.set(view, data)
      ;(tensor as { tensor: Tensor }).tensor = data
    }
  }
}

/** The bytes with their numbers in little-endian order, for the width of each view's numbers. */
function swapped(bytes: Uint8Array): (view: TensorView) => Uint8Array {
  const byWidth = new Map<number, Uint8Array>([[1, bytes]])
  return ({ dtype }) => {
    const { bits, stride } = dtypeInfo(dtype)
    const width = bits / 8 / stride // the two parts of a complex number are numbers of their own
    const result = byWidth.get(width) ?? swapBytes(bytes, width)
    byWidth.set(width, result)
    return result
  }
}
