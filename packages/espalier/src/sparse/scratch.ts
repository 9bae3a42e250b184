/**
 * Memory that packing one weight after the other takes again and again: fresh arrays of megabytes each time would keep the
 * garbage collector busy for longer than the packing takes. What is behind a weak reference lasts until the end of the
 * turn of the event loop at least, and goes when it is collected afterwards.
 */
import { allocate } from '../tensor/tensor.ts'

export type Scratch = (length: number) => ArrayBuffer

/** Gives memory of `length` bytes or more, with whatever was there; the same at each call, as far as it is large enough. */
export function scratch(): Scratch {
  let held: WeakRef<ArrayBuffer> | undefined
  return length => {
    let buffer = held?.deref()
    if (buffer === undefined || buffer.byteLength < length) {
      buffer = allocate('uint8', length).buffer as ArrayBuffer
      held = new WeakRef(buffer)
    }
    return buffer
  }
}
