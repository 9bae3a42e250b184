/**
 * Memory for results, with whatever was there: they are wholly written before anybody sees them. Node's own allocator
 * gives it without zeros first, and takes it back as soon as it is collected; elsewhere an ordinary buffer has to do.
 */
export function resultMemory(bytes: number): ArrayBuffer {
  const node = globalThis.process?.getBuiltinModule?.('node:buffer')
  return node === undefined
    ? new ArrayBuffer(bytes)
    : (node.Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer)
}
