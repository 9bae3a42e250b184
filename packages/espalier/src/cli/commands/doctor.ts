/** `espalier doctor`: what this machine offers, and what will be used. */
import { type Diagnosis, diagnose } from '../../runtime/diagnose.ts'
import { version } from '../../version.ts'
import { type Command, command } from '../command.ts'
import { bytes, facts, plural } from '../text.ts'

export const doctor: Command = command({
  name: 'doctor',
  summary: 'Show what this machine offers and which back end will be used, and why',
  positionals: [],
  options: {},
  examples: [
    { line: 'doctor', doc: 'Node, processor, memory, back ends, optional packages' },
    { line: 'doctor --json', doc: 'the same for a bug report' },
  ],
  async run({ terminal }) {
    const found = { espalier: version, ...diagnose(), packages: { sharp: await sharpState() } }
    for (const line of describeDiagnosis(found, terminal.width)) terminal.print(line)
    for (const line of found.advice) terminal.warn(line)
    if (!found.supported) terminal.fail(1)
    return found
  },
})

/** What is known of the machine and of optional packages, in lines. */
export function describeDiagnosis(
  found: Diagnosis & { readonly packages: { readonly sharp: string } },
  width: number,
): string[] {
  const { simd, relaxedSimd, threads } = found.webAssembly
  const yes = (value: boolean): string => (value ? 'yes' : 'no')
  const { selected } = found
  return facts(
    [
      ['espalier', version],
      ['host', `${found.host}${found.supported ? '' : ' (too old)'}`],
      ['platform', found.platform ?? 'unknown'],
      ['processor', `${found.cpu ?? 'unknown'}, ${plural(found.cores, 'core')}`],
      ['features', found.features?.join(', ') ?? 'not told by this system'],
      ['memory', found.memory === undefined ? 'unknown' : bytes(found.memory)],
      ['WebAssembly', `SIMD ${yes(simd)}, relaxed SIMD ${yes(relaxedSimd)}, threads ${yes(threads)}`],
      [
        'back ends',
        found.backEnds.map(({ name, available, reason, variants }) => {
          const kernels = variants.length > 0 ? `, with kernels for ${variants.join(', ')}` : ''
          return available ? `${name}: available${kernels}` : `${name}: not available, ${reason}`
        }),
      ],
      ['will be used', `${selected.name}, ${plural(selected.threads, 'thread')}: ${selected.reason}`],
      ['pictures', `sharp ${found.packages.sharp}`],
    ],
    width,
  )
}

/** Version of the package that decodes pictures, or why there is none. */
async function sharpState(): Promise<string> {
  // Not a literal: the package is optional.
  const name = 'sharp'
  try {
    const { default: sharp } = (await import(name)) as { default: { versions: { sharp?: string } } }
    return sharp.versions.sharp ?? 'installed'
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND'
    return missing ? 'not installed: npm install sharp' : `does not load: ${(error as Error).message}`
  }
}
