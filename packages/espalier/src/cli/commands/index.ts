/** The commands, in the order in which the help lists them. */
import type { Command } from '../command.ts'
import { analyze } from './analyze.ts'
import { bench } from './bench.ts'
import { compress } from './compress.ts'
import { convert } from './convert.ts'
import { doctor } from './doctor.ts'
import { evaluate } from './evaluate.ts'
import { inspect } from './inspect.ts'
import { profile } from './profile.ts'
import { quickstart } from './quickstart.ts'
import { run } from './run.ts'

export const commands: readonly Command[] = [
  quickstart,
  inspect,
  analyze,
  compress,
  evaluate,
  run,
  bench,
  profile,
  convert,
  doctor,
]
