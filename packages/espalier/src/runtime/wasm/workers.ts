/**
 * The threads of WebAssembly: workers that share the memories of all sessions. Between runs a worker sleeps on a word of
 * shared memory, so that entering a run takes no message; to learn of a new memory it is woken, goes back to its event
 * loop, reads the message and sleeps again. Workers never keep a process alive.
 */
import { EspalierError } from '../../errors.ts'

/** Stack of each worker, in every memory. */
export const stackBytes: number = 2 ** 19

/**
 * Words that each worker sleeps on and reads: the number of the newest call, that of the newest it has taken, the memory
 * (-1: read your messages, until you have had `frame` of them), the frame, and its number among the threads; and whether
 * it has failed, which the thread that waits for it in a run cannot learn from an event.
 */
const control = { call: 0, taken: 1, memory: 2, frame: 3, thread: 4, failed: 5, words: 16 } as const
const listen = -1

/** Workers that are ready. */
export interface Crew {
  /** Number of workers: one less than the threads of a run. */
  readonly size: number
  /** Whether no new memory should be let in: a larger crew has taken its place, or a worker has failed. */
  readonly retired: boolean
  /** Lets the workers into a memory; their stacks begin at `stacks`. Gives what lets them out again. */
  attach(module: WebAssembly.Module, memory: WebAssembly.Memory, stacks: number): () => void
  /** Throws `disposed` when a worker has failed, which ends them all. For who waits for them. */
  check(): void
  /** Sends the workers that a run of so many threads needs into a frame of a memory. Does not wait. */
  enter(memory: WebAssembly.Memory, frame: number, threads: number): void
}

/** The part of `Worker` that browsers and Node agree on after {@link startWorker}. */
interface Thread {
  post(message: unknown): void
  onMessage(listener: () => void): void
  onError(listener: (error: unknown) => void): void
  /** It has failed, or has been stopped. */
  onEnd(listener: () => void): void
  stop(): void
}

/** How long a worker may take to come up, or to take up a call. */
const startLimit = 10_000

let team: { readonly crew: WorkerCrew; readonly ready: Promise<void> } | undefined

/**
 * A crew for runs of so many threads, shared by all who ask; the one before, if it was too small, retires. Throws
 * `unsupported` when workers do not come up.
 */
export async function wasmCrew(threads: number): Promise<Crew> {
  if (team === undefined || team.crew.retired || team.crew.size < threads - 1) {
    const crew = new WorkerCrew(threads - 1)
    team?.crew.retire()
    team = { crew, ready: crew.ready() }
  }
  const { crew, ready } = team
  try {
    await ready
    return crew
  } catch (error) {
    crew.retire()
    throw error
  }
}

class WorkerCrew implements Crew {
  readonly size: number
  readonly #threads: readonly Thread[]
  readonly #words: readonly Int32Array[]
  readonly #memories = new Map<WebAssembly.Memory, number>()
  readonly #ready: Promise<void>
  #named = 0
  #posted = 0
  #retired = false
  #stopped = false

  constructor(size: number) {
    this.size = size
    this.#words = Array.from({ length: size }, () => new Int32Array(new SharedArrayBuffer(4 * control.words)))
    this.#threads = this.#words.map(startWorker)
    this.#ready = Promise.all(this.#threads.map(firstMessage)).then(() => {
      for (const thread of this.#threads) thread.onEnd(() => this.#stop())
    })
  }

  get retired(): boolean {
    return this.#retired
  }

  ready(): Promise<void> {
    return this.#ready
  }

  /** No new memories: the workers stop when those that they are in have been given back. */
  retire(): void {
    this.#retired = true
    const leave = (): void => {
      if (this.#memories.size === 0) this.#stop()
    }
    this.#ready.then(leave, leave)
  }

  check(): void {
    if (this.#words.some(words => Atomics.load(words, control.failed) !== 0)) this.#stop()
    if (this.#stopped)
      throw new EspalierError('disposed', 'a worker of the WebAssembly threads has ended', {
        hint: 'Make the session anew',
      })
  }

  #stop(): void {
    if (this.#stopped) return
    this.#retired = this.#stopped = true
    for (const thread of this.#threads) thread.stop()
  }

  attach(module: WebAssembly.Module, memory: WebAssembly.Memory, stacks: number): () => void {
    this.check()
    const id = this.#named++
    this.#memories.set(memory, id)
    // Stacks grow downwards.
    this.#tell(index => ({ id, module, memory, stack: stacks + (index + 1) * stackBytes }))
    return () => {
      if (!this.#memories.delete(memory) || this.#stopped) return
      if (this.#retired && this.#memories.size === 0) this.#stop()
      else this.#tell(() => ({ id }))
    }
  }

  enter(memory: WebAssembly.Memory, frame: number, threads: number): void {
    const id = this.#memories.get(memory)
    if (id === undefined) throw new EspalierError('disposed', 'the memory has been given back')
    for (let thread = 1; thread < threads; thread++) this.#call(thread - 1, id, frame, thread)
  }

  #tell(message: (index: number) => unknown): void {
    this.#posted++
    for (const [index, thread] of this.#threads.entries()) {
      thread.post(message(index))
      this.#call(index, listen, this.#posted, 0)
    }
  }

  #call(index: number, memory: number, frame: number, thread: number): void {
    const words = this.#words[index]!
    const taken = (): boolean => Atomics.load(words, control.taken) === words[control.call]
    for (let looks = 0, since = 0; !taken(); looks++) {
      // It is about to.
      if (looks % 4096 !== 4095) continue
      this.check()
      const now = performance.now()
      since ||= now
      if (now - since > startLimit) this.#stop()
    }
    this.check()
    words[control.memory] = memory
    words[control.frame] = frame
    words[control.thread] = thread
    Atomics.add(words, control.call, 1)
    Atomics.notify(words, control.call)
  }
}

function firstMessage(thread: Thread): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown): void =>
      reject(
        new EspalierError('unsupported', 'a worker for WebAssembly threads does not start', {
          hint: 'Use threads: 1, or allow workers in the content security policy (worker-src blob:)',
          cause,
        }),
      )
    const timer = setTimeout(() => {
      thread.stop()
      refuse(new Error(`no answer within ${startLimit / 1000} s`))
    }, startLimit)
    thread.onMessage(() => {
      clearTimeout(timer)
      resolve()
    })
    thread.onError(error => {
      clearTimeout(timer)
      refuse(error)
    })
  })
}

/**
 * What a worker runs. It is sent as text, and so uses nothing from around it but its arguments.
 */
function workerMain(
  words: Int32Array,
  at: { call: number; taken: number; memory: number; frame: number; thread: number; failed: number },
  port: { post(message: unknown): void; onMessage(listener: (message: unknown) => void): void },
): void {
  const entries = new Map<number, (frame: number, thread: number) => void>()
  let had = 0
  const serve = (): void => {
    for (;;) {
      const taken = Atomics.load(words, at.taken)
      for (let look = 0; look < 2000 && Atomics.load(words, at.call) === taken; look++) {}
      while (Atomics.load(words, at.call) === taken) Atomics.wait(words, at.call, taken)
      const memory = words[at.memory]!
      const frame = words[at.frame]!
      const thread = words[at.thread]!
      Atomics.store(words, at.taken, taken + 1)
      if (memory < 0) {
        if (had < frame) return // to the event loop, where the message is
        continue
      }
      try {
        entries.get(memory)!(frame, thread)
      } catch (error) {
        Atomics.store(words, at.failed, 1)
        throw error
      }
    }
  }
  port.onMessage(message => {
    had++
    const { id, module, memory, stack } = message as {
      id: number
      module?: WebAssembly.Module
      memory: WebAssembly.Memory
      stack: number
    }
    if (module === undefined) entries.delete(id)
    else {
      const env = {
        memory,
        clock: () => performance.now() / 1000,
        sleep: (address: number, value: number) => {
          Atomics.wait(new Int32Array(memory.buffer), address >> 2, value)
        },
      }
      const exports = new WebAssembly.Instance(module, { env }).exports as unknown as {
        run(frame: number, thread: number): void
        __stack_pointer: WebAssembly.Global
      }
      exports.__stack_pointer.value = stack
      entries.set(id, exports.run)
    }
    serve()
  })
  port.post('ready')
}

function startWorker(words: Int32Array): Thread {
  const call = (port: string): string => `(${workerMain})(words, ${JSON.stringify(control)}, ${port})`
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (threads !== undefined) {
    const source = `const { parentPort, workerData: words } = require('node:worker_threads');
${call('{ post: m => parentPort.postMessage(m), onMessage: f => parentPort.on("message", f) }')}`
    const worker = new threads.Worker(source, { eval: true, workerData: words, execArgv: [] })
    worker.unref()
    return {
      post: message => worker.postMessage(message),
      onMessage: listener => worker.once('message', listener),
      onError: listener => worker.once('error', listener),
      onEnd: listener => {
        worker.on('error', listener)
        worker.once('exit', listener)
      },
      stop: () => void worker.terminate(),
    }
  }
  const source = `onmessage = ({ data: words }) => {
  onmessage = null;
  ${call('{ post: m => postMessage(m), onMessage: f => { onmessage = e => f(e.data) } }')}
}`
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url)
  worker.postMessage(words)
  return {
    post: message => worker.postMessage(message),
    onMessage: listener => worker.addEventListener('message', listener, { once: true }),
    onError: listener => worker.addEventListener('error', listener, { once: true }),
    onEnd: listener => worker.addEventListener('error', listener),
    stop: () => worker.terminate(),
  }
}
