/**
 * A session: a model made ready to run, fast, as often as wanted. It takes the best back end there is, optimises the
 * graph once, and keeps a plan for every shape of inputs that comes.
 */
import { EspalierError, locate } from '../errors.ts'
import { openEspalierModel } from '../formats/espalier/read.ts'
import { type OpenModel, openOnnx } from '../formats/onnx/read.ts'
import { evaluateDim, symbolsOf } from '../graph/dim.ts'
import type { Graph } from '../graph/graph.ts'
import { feedableInputs, inputShape } from '../graph/inputs.ts'
import { validate } from '../graph/validate.ts'
import { operators as standard } from '../ops/index.ts'
import type { ConcreteType } from '../ops/lower.ts'
import { requireOps } from '../ops/missing.ts'
import type { Operators } from '../ops/op.ts'
import { dumpPlan } from '../plan/dump.ts'
import type { Plan } from '../plan/plan.ts'
import type { Isa, SparseUse } from '../plan/target.ts'
import { isFloat } from '../tensor/dtype.ts'
import { numbers } from '../tensor/elements.ts'
import { inMemory, isTensor, type RuntimeValue } from '../tensor/tensor.ts'
import { type BackendName, chooseBackend, openBackend } from './backends.ts'
import { calibratesByDefault } from './calibrate/calibration.ts'
import { Engine, type EngineMemory, type EngineRun } from './engine/engine.ts'
import type { Feeds, Prepared, Values } from './executor.ts'
import { explainPlans } from './explain.ts'
import { checkFeeds } from './feeds.ts'
import { optimize } from './optimize/index.ts'
import { partFor } from './part.ts'
import { type Profile, type ProfileOptions, profileEngine } from './profile.ts'
import { reference } from './reference.ts'
import { defaultThreads, MOST_THREADS } from './threads.ts'

export interface SessionOptions {
  /** `auto` when left out: native kernels where there are any, else WebAssembly. */
  readonly backend?: BackendName | 'auto'
  /** Threads of a run, the calling one included; as many as the machine runs at once when left out. */
  readonly threads?: number
  /** Variant of the kernels; the best that this processor runs when left out. */
  readonly isa?: Isa
  /**
   * What is known of the inputs before the first run: an input's shape by its name, or the value of a symbolic
   * dimension (`batch: 8`). A plan is then made at once. Other shapes can still be run.
   */
  readonly shapes?: Readonly<Record<string, readonly number[] | number>>
  /** Values to return; the graph's outputs when left out. */
  readonly outputs?: readonly string[]
  /**
   * With `false`, no convolution is computed by Winograd's method, which takes a quarter of the multiplications for
   * kernels of 3x3. By it, results differ by about twice as much from exact ones, up to four times the memory goes to
   * weights, and an infinity or a NaN reaches outputs four pixels away instead of one. Says nothing on the reference.
   */
  readonly winograd?: boolean
  /**
   * When products and convolutions of constant weights leave out the zeros among them: `auto`, when left out, where that is
   * quicker as far as is known; `never`; `always` that a sparse kernel can, however slow. What is left out is not
   * multiplied: an infinity times zero adds nothing. Says nothing on the reference.
   */
  readonly sparse?: SparseUse
  /**
   * Whether what sparse and dense kernels take is measured on this machine where a model has weights with many zeros, in a
   * fraction of a second, and remembered for the next sessions; when left out, unless `ESPALIER_CALIBRATE` is 0. With `false`,
   * built-in figures decide which kernels run, the same everywhere.
   */
  readonly calibrate?: boolean
  readonly operators?: Operators
  /** Seed of operators that draw random numbers; 0 when left out. */
  readonly seed?: number
  /** Iterations after which a `Loop` that has not ended is an error; without it, a loop may run for ever. */
  readonly maxIterations?: number
  /** With `error`, a run whose outputs hold a NaN throws `not-a-number`. */
  readonly nan?: 'allow' | 'error'
  /** Called on the reference, which may take long, with the number of nodes done and of all. */
  readonly onProgress?: (done: number, total: number) => void
  /**
   * Told what a user should know: a slower back end than there could be, fewer threads than asked for. Printed on the
   * console, each once, when left out.
   */
  readonly onWarning?: (message: string) => void
}

/** Values by name. */
export type Outputs = Record<string, RuntimeValue>

export interface Session extends Disposable {
  readonly backend: BackendName
  /** Variant of the kernels; `undefined` for the reference. */
  readonly isa: Isa | undefined
  readonly threads: number
  /** Names of the values that a run returns. */
  readonly outputs: readonly string[]
  /**
   * Runs once, off the event loop where the back end can. Calls that overlap wait for each other. Feeds are read until
   * the promise settles and must not be written to or transferred before. Throws as `Prepared.run` does; a call that is
   * still waiting when the session is disposed throws `disposed`.
   */
  run(feeds: Feeds): Promise<Outputs>
  /** Runs on the calling thread: the shortest way for a small model. */
  runSync(feeds: Feeds): Outputs
  /** What runs for such inputs, step by step, what has no kernel first. Runs the model once. */
  explain(feeds: Feeds): string
  /** The plans that run for such inputs, in full (plan/dump.ts). Runs the model once. Throws `unsupported` on the reference. */
  dump(feeds: Feeds): string
  /** Time, work and traffic of every step. Throws `unsupported` on the reference. */
  profile(feeds: Feeds, options?: ProfileOptions): Profile
  /**
   * Bytes that the session holds for what it has run so far, beside the graph of the caller: constants as kernels read them,
   * and activations. Throws `unsupported` on the reference.
   */
  memory(): SessionMemory
  /** Gives the memory back, after the run that is under way. May be called again. */
  dispose(): void
}

export type SessionMemory = EngineMemory

/**
 * A session for a graph, or for the file of this name: an espalier file where the name ends so, else ONNX. Of a file, weights
 * are read straight to where kernels use them, so that memory holds them once and not twice; it stays open as long as the
 * session and must not be written to. Damage of a weight is found when it is read, by the first run at the latest.
 *
 * Throws `unsupported-op` with every operator that is missing, `bad-argument` for outputs, shapes or threads that cannot
 * be, `unsupported` when the back end that is asked for does not work here; for a file, what `load` does.
 */
export async function session(model: Graph | string, options: SessionOptions = {}): Promise<Session> {
  if (typeof model !== 'string') return sessionOf(model, options, () => {})
  const { graph, close } = await openModel(model)
  try {
    const opened = await sessionOf(
      locate({ file: model }, () => validate(graph)),
      options,
      () => {
        abandoned.unregister(close)
        void close()
      },
    )
    abandoned.register(opened, close, close)
    return opened
  } catch (error) {
    await close()
    throw error
  }
}

function openModel(path: string): Promise<OpenModel> {
  return path.endsWith('.espalier') ? openEspalierModel(path) : openOnnx(path)
}

/** Closes the files of sessions that nobody has disposed of. */
const abandoned = new FinalizationRegistry<() => Promise<void>>(close => void close())

async function sessionOf(graph: Graph, options: SessionOptions, onDispose: () => void): Promise<Session> {
  const { operators = standard, outputs, onWarning = warnOnce } = options
  const part = outputs === undefined ? graph : partFor(graph, outputs)
  requireOps(part, operators)
  const wanted = threadsOf(options)
  const types = typesAhead(part, options.shapes ?? {})
  const choice = chooseBackend(options.backend, options.isa)
  if (choice.name === 'reference') {
    if (choice.reason) onWarning(`models run on the reference, slowly: ${choice.reason}`)
    return new ReferenceSession(graph, options, onDispose)
  }
  if (choice.reason) onWarning(`models run on WebAssembly: ${choice.reason}`)
  const optimized = optimize(part, { operators })
  const { backend, threads } = await openBackend(choice.name, wanted, options.isa, onWarning)
  const { winograd = true, sparse = 'auto', calibrate = calibratesByDefault() } = options
  checkSparse(sparse)
  const engine = new Engine(optimized, backend, threads, operators, { winograd, sparse, calibrate })
  try {
    if (types !== undefined) engine.planFor(types)
  } catch (error) {
    engine.dispose()
    throw error
  }
  const facts = { backend: choice.name, isa: backend.isa, threads, onDispose }
  return new EngineSession(graph, part, engine, facts, options)
}

const warned = new Set<string>()

function warnOnce(message: string): void {
  if (warned.has(message)) return
  warned.add(message)
  console.warn(`espalier: ${message}`)
}

function threadsOf({ threads }: SessionOptions): number {
  if (threads === undefined) return defaultThreads()
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads
  throw new EspalierError('bad-argument', `threads must be a whole number from 1 to ${MOST_THREADS}`, {
    got: `${threads}`,
  })
}

const sparseUses: readonly SparseUse[] = ['auto', 'never', 'always']

function checkSparse(sparse: SparseUse): void {
  if (sparseUses.includes(sparse)) return
  throw new EspalierError('bad-argument', 'this says nothing of sparse kernels', {
    expected: sparseUses.join(', '),
    got: `${sparse}`,
  })
}

/** Types of all inputs, where what is stated and given tells them; else `undefined`. */
function typesAhead(
  graph: Graph,
  shapes: NonNullable<SessionOptions['shapes']>,
): Map<string, ConcreteType> | undefined {
  const inputs = feedableInputs(graph).filter(({ name }) => !graph.initializers.has(name))
  const dims = new Set(inputs.flatMap(input => inputShape(input) ?? []).flatMap(symbolsOf))
  const bindings = new Map<string, number>()
  for (const [name, value] of Object.entries(shapes)) {
    const known = typeof value === 'number' ? dims.has(name) : inputs.some(input => input.name === name)
    if (!known)
      throw new EspalierError(
        'bad-argument',
        `the graph has no ${typeof value === 'number' ? 'dimension' : 'input'} "${name}"`,
        {
          expected:
            [...(typeof value === 'number' ? dims : inputs.map(input => input.name))].join(', ') || 'none',
        },
      )
    const extents = typeof value === 'number' ? [value] : value
    if (!extents.every(extent => Number.isSafeInteger(extent) && extent >= 0))
      throw new EspalierError('bad-argument', `the extents of "${name}" must be whole numbers from 0 on`, {
        got: extents.join(' x '),
      })
    if (typeof value === 'number') bindings.set(name, value)
  }
  const types = new Map<string, ConcreteType>()
  for (const input of inputs) {
    const given = shapes[input.name]
    const stated = inputShape(input)
    if (input.type?.kind !== 'tensor' || stated === undefined) return undefined
    const shape = typeof given === 'object' ? given : stated.map(dim => evaluateDim(dim, bindings))
    if (
      shape.length !== stated.length ||
      shape.some(
        (extent, axis) => typeof stated[axis] === 'number' && extent !== undefined && stated[axis] !== extent,
      )
    )
      throw new EspalierError('bad-shape', `"${input.name}" has another shape`, {
        where: { tensor: input.name },
        expected: stated.join(' x '),
        got: shape.join(' x '),
      })
    if (!shape.every(extent => extent !== undefined)) return undefined
    types.set(input.name, { dtype: input.type.dtype, shape })
  }
  return types
}

class EngineSession implements Session {
  readonly backend: BackendName
  readonly isa: Isa
  readonly threads: number
  readonly outputs: readonly string[]
  readonly #graph: Graph
  readonly #options: SessionOptions
  readonly #onDispose: () => void
  #engine: Engine | undefined
  /** Settled when all runs before have ended. */
  #turn: Promise<unknown> = Promise.resolve()
  #running = 0

  constructor(
    graph: Graph,
    part: Graph,
    engine: Engine,
    facts: {
      readonly backend: BackendName
      readonly isa: Isa
      readonly threads: number
      readonly onDispose: () => void
    },
    options: SessionOptions,
  ) {
    this.backend = facts.backend
    this.isa = facts.isa
    this.threads = facts.threads
    this.#onDispose = facts.onDispose
    this.outputs = part.outputs.map(({ name }) => name)
    this.#graph = graph
    this.#engine = engine
    this.#options = options
  }

  async run(feeds: Feeds): Promise<Outputs> {
    this.#need()
    const values = checkFeeds(this.#graph, feeds)
    const before = this.#turn
    const own = before.then(() => this.#hold(engine => engine.start(values, this.#runOptions())))
    // The next run waits for this one, and not for its success.
    this.#turn = own.then(
      () => {},
      () => {},
    )
    return this.#result(await own)
  }

  runSync(feeds: Feeds): Outputs {
    const engine = this.#need()
    return this.#result(engine.run(checkFeeds(this.#graph, feeds), this.#runOptions()))
  }

  explain(feeds: Feeds): string {
    const { plans, alone } = this.#observe(feeds)
    return explainPlans(plans, alone)
  }

  dump(feeds: Feeds): string {
    return this.#observe(feeds).plans.map(dumpPlan).join('')
  }

  /** What runs: plans, and nodes that no plan can hold. */
  #observe(feeds: Feeds): { readonly plans: readonly Plan[]; readonly alone: readonly string[] } {
    const plans: Plan[] = []
    const alone: string[] = []
    const observer: EngineRun['observer'] = {
      stage(plan) {
        plans.push(plan)
        return undefined
      },
      alone: node => alone.push(`${node.name || node.outputs[0]} (${node.op})`),
    }
    this.#need().run(checkFeeds(this.#graph, feeds), { ...this.#runOptions(), observer })
    return { plans, alone }
  }

  profile(feeds: Feeds, options: ProfileOptions = {}): Profile {
    return profileEngine(this.#need(), checkFeeds(this.#graph, feeds), this.#runOptions(), options)
  }

  memory(): SessionMemory {
    return this.#need().memory()
  }

  dispose(): void {
    const engine = this.#engine
    this.#engine = undefined
    if (engine === undefined) return
    const end = (): void => {
      engine.dispose()
      this.#onDispose()
    }
    if (this.#running === 0) end()
    else void this.#turn.then(end)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** Work that must end before memory is given back. */
  async #hold(work: (engine: Engine) => Promise<Values>): Promise<Values> {
    const engine = this.#need()
    this.#running++
    try {
      return await work(engine)
    } finally {
      this.#running--
    }
  }

  #need(): Engine {
    if (this.#engine !== undefined) return this.#engine
    throw new EspalierError('disposed', 'the session is used after dispose()')
  }

  #runOptions(): EngineRun {
    const { seed, maxIterations } = this.#options
    return { ...(seed !== undefined && { seed }), ...(maxIterations !== undefined && { maxIterations }) }
  }

  #result(values: Values): Outputs {
    if (this.#options.nan === 'error') checkNaN(values)
    return outputsOf(values)
  }
}

/** A session on the reference executor. */
class ReferenceSession implements Session {
  readonly backend = 'reference'
  readonly isa = undefined
  readonly threads = 1
  readonly outputs: readonly string[]
  readonly #prepared: Prepared
  readonly #options: SessionOptions
  #onDispose: () => void

  constructor(graph: Graph, options: SessionOptions, onDispose: () => void) {
    const { operators, outputs, seed, maxIterations, onProgress } = options
    this.outputs = outputs ?? graph.outputs.map(({ name }) => name)
    this.#options = options
    this.#onDispose = onDispose
    this.#prepared = reference.prepare(graph, {
      ...(operators && { operators }),
      ...(outputs && { outputs }),
      ...(seed !== undefined && { seed }),
      ...(maxIterations !== undefined && { maxIterations }),
      ...(onProgress && { onProgress }),
    })
  }

  async run(feeds: Feeds): Promise<Outputs> {
    return this.runSync(feeds)
  }

  runSync(feeds: Feeds): Outputs {
    const values = this.#prepared.run(feeds)
    if (this.#options.nan === 'error') checkNaN(values)
    return outputsOf(values)
  }

  explain(): string {
    return 'Every operator runs through its reference evaluation, one after another.'
  }

  dump(): string {
    throw new EspalierError('unsupported', 'the reference has no plan', { hint: 'Use another back end' })
  }

  profile(): Profile {
    throw new EspalierError('unsupported', 'the reference has no profile', { hint: 'Use another back end' })
  }

  memory(): SessionMemory {
    throw new EspalierError('unsupported', 'the reference holds only what the graph has', {
      hint: 'Use another back end',
    })
  }

  dispose(): void {
    this.#prepared.dispose()
    this.#onDispose()
    this.#onDispose = () => {}
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** What a caller gets is theirs: it must not need the model's file any more. */
function outputsOf(values: Values): Outputs {
  return Object.fromEntries(Array.from(values, ([name, value]) => [name, inMemory(value)]))
}

function checkNaN(values: Values): void {
  for (const [name, value] of values) {
    if (!isTensor(value) || !isFloat(value.dtype)) continue
    const index = numbers(value).findIndex(Number.isNaN)
    if (index >= 0)
      throw new EspalierError('not-a-number', `output "${name}" holds a NaN`, {
        where: { tensor: name },
        got: `NaN at element ${index}`,
        hint: 'Feeds out of range, or a division by zero in the model; `outputs` of a session shows values in between',
      })
  }
}
