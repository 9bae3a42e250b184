/** `espalier doctor`: what this machine offers, and what will be used. */
import { diagnose } from '../../runtime/diagnose.ts'
import { type Command, command } from '../command.ts'
import { bytes, table } from '../text.ts'

export const doctor: Command = command({
  name: 'doctor',
  summary: 'Show what this machine offers and which back end will be used, and why',
  positionals: '',
  arity: [0, 0],
  options: {},
  examples: [
    { line: 'doctor', doc: 'Node, CPU features, threads, back ends' },
    { line: 'doctor --json', doc: 'the same for a bug report' },
  ],
  async run({ terminal }) {
    const found = diagnose()
    const yes = (value: boolean): string => (value ? 'yes' : 'no')
    const { simd, relaxedSimd, threads } = found.webAssembly
    const rows = [
      ['host', `${found.host}${found.supported ? '' : ' (too old)'}`],
      ['platform', found.platform ?? 'unknown'],
      ['processor', found.cpu ?? 'unknown'],
      ['features', found.features?.join(', ') || 'unknown'],
      ['cores', `${found.cores}`],
      ['memory', found.memory === undefined ? 'unknown' : bytes(found.memory)],
      ['WebAssembly', `SIMD ${yes(simd)}, relaxed SIMD ${yes(relaxedSimd)}, threads ${yes(threads)}`],
      ...found.backEnds.map(({ name, available, reason }) => [
        `back end ${name}`,
        available ? 'available' : `not available: ${reason}`,
      ]),
      ['will be used', `${found.selected.name}, ${found.selected.threads} thread: ${found.selected.reason}`],
    ]
    for (const line of table([{ title: '' }, { title: '' }], rows).slice(1)) terminal.print(line)
    for (const line of found.advice) terminal.warn(line)
    if (!found.supported) terminal.fail(1)
    return found
  },
})
