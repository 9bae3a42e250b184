/** What this folder uses of its hosts, browsers and Node alike, and the compiler's libraries for Node do not declare. */

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>)
  }
  class Memory {
    constructor(limits: { initial: number; maximum: number; shared: boolean })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Global {
    value: number
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
  function validate(bytes: Uint8Array): boolean
}

declare class Worker {
  constructor(url: string)
  postMessage(message: unknown): void
  addEventListener(type: string, listener: (event: unknown) => void, options?: { once?: boolean }): void
  terminate(): void
}
