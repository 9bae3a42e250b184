/** `--backend`, `--threads` and `--no-calibrate`: what a command runs a model on. */
import type { Session, SessionOptions } from '../runtime/session.ts'
import { integerOption } from './arguments.ts'
import { type Invocation, type OptionSpec, usage } from './command.ts'
import { plural } from './text.ts'

const backends = ['auto', 'native', 'wasm', 'reference'] as const

export const engineOptions: Readonly<Record<'backend' | 'threads' | 'no-calibrate', OptionSpec>> = {
  backend: {
    type: 'string',
    short: 'b',
    value: 'NAME',
    doc: 'What runs the model: native, wasm, reference; auto when left out, the fastest there is',
  },
  threads: {
    type: 'string',
    value: 'N',
    doc: 'Threads of a run; as many as the machine runs at once when left out',
  },
  'no-calibrate': {
    type: 'boolean',
    doc: 'Choose kernels for weights with zeros by built-in figures, and measure nothing on this machine',
  },
}

/** Options of a session as they were given; what it warns of goes to the terminal. Throws `usage`. */
export function readEngineOptions(
  invocation: Invocation,
): Pick<SessionOptions, 'backend' | 'threads' | 'calibrate' | 'onWarning'> {
  const asked = invocation.text('backend')
  const backend = backends.find(name => name === asked)
  if (asked !== undefined && backend === undefined)
    throw usage(
      `there is no back end "${asked}"`,
      'espalier doctor shows what works here',
      backends.join(', '),
    )
  const threads = integerOption(invocation, 'threads', 1, 1024)
  return {
    ...(backend && { backend }),
    ...(threads !== undefined && { threads }),
    ...(invocation.flag('no-calibrate') && { calibrate: false }),
    onWarning: message => invocation.terminal.warn(message),
  }
}

type Engine = Pick<Session, 'backend' | 'isa' | 'threads'>

/** `native back end (avx2, 2 threads)`. */
export function describeEngine({ backend, isa, threads }: Engine): string {
  return `${backend} back end${isa === undefined ? '' : ` (${isa}, ${plural(threads, 'thread')})`}`
}

/** The same for a JSON result. */
export function engineForJSON({ backend, isa, threads }: Engine): object {
  return { backEnd: backend, ...(isa !== undefined && { isa }), threads }
}
