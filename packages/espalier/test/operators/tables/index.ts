/** All tables of cases. */
import type { Row } from '../case.ts'
import { attention } from './attention.ts'
import { casts } from './casts.ts'
import { control } from './control.ts'
import { convolutions } from './convolutions.ts'
import { elementwise } from './elementwise.ts'
import { imaging } from './images.ts'
import { indexing } from './indexing.ts'
import { learning } from './learning.ts'
import { movement } from './movement.ts'
import { normalization } from './normalization.ts'
import { pooling } from './pooling.ts'
import { products } from './products.ts'
import { quantization } from './quantization.ts'
import { recurrent } from './recurrent.ts'
import { reductions } from './reductions.ts'
import { shaping } from './shapes.ts'
import { signals } from './signals.ts'
import { texts } from './texts.ts'

export const tables: readonly Row[] = [
  ...elementwise,
  ...casts,
  ...reductions,
  ...normalization,
  ...products,
  ...convolutions,
  ...pooling,
  ...quantization,
  ...shaping,
  ...indexing,
  ...movement,
  ...imaging,
  ...signals,
  ...recurrent,
  ...attention,
  ...control,
  ...texts,
  ...learning,
]
