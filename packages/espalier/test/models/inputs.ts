/**
 * Real inputs for the real models, prepared as their makers document it. Data is looked for in `ESPALIER_DATA`, then
 * in `../shared/data` beside the repository; nothing of it is stored here.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'
import { readImage } from '../../src/formats/image.ts'
import { type Tensor, tensor, zeros } from '../../src/tensor/index.ts'

const root = process.env.ESPALIER_DATA ?? join(import.meta.dirname, '../../../../../shared/data')
const models = join(root, 'models/onnx')
const samples = join(models, 'magika-standard_v3_3/tests_data/basic')

/** Whether the data is there. */
export const dataPresent: boolean = existsSync(samples)

export interface RealModel {
  readonly name: string
  readonly path: string
  /** Named inputs; `state` carries outputs of one run into inputs of the next. */
  readonly runs: () => Promise<readonly RealRun[]>
  readonly state?: Readonly<Record<string, string>>
}

export interface RealRun {
  readonly name: string
  readonly feeds: Readonly<Record<string, Tensor>>
}

export const realModels: readonly RealModel[] = [
  { name: 'magika', path: join(models, 'magika-standard_v3_3/model.onnx'), runs: magikaRuns },
  {
    name: 'dtln',
    path: join(models, 'dtln/model_1.onnx'),
    runs: speechRuns,
    state: { tf_op_layer_stack_2: 'input_3' },
  },
  { name: 'ultraface', path: join(models, 'ultraface/version-RFB-640.onnx'), runs: faceRuns },
  { name: 'super-resolution', path: join(models, 'super-resolution/super_resolution.onnx'), runs: lumaRuns },
]

export interface MagikaConfig {
  readonly beg_size: number
  readonly end_size: number
  readonly block_size: number
  readonly min_file_size_for_dl: number
  readonly padding_token: number
  readonly target_labels_space: readonly string[]
  readonly overwrite_map: Readonly<Record<string, string>>
}

/** Magika's published configuration. */
export function magikaConfig(): MagikaConfig {
  return JSON.parse(
    readFileSync(join(models, 'magika-standard_v3_3/config.min.json'), 'utf8'),
  ) as MagikaConfig
}

/** Results that the makers publish: for the sample files, and for contents at the edges of what is looked at. */
export interface MagikaResult {
  readonly path?: string
  readonly content_base64?: string
  /** `dl` is what the model says, `undefined` where it is not asked; `output` what the tool says. */
  readonly prediction: { readonly dl: string; readonly output: string; readonly score: number }
}

/** The published results, each once: they stand there for three thresholds, which only change `output`. */
export function magikaResults(by: 'path' | 'content'): MagikaResult[] {
  const file = join(models, `magika-standard_v3_3/standard_v3_3-inference_examples_by_${by}.json.gz`)
  const list = JSON.parse(gunzipSync(readFileSync(file)).toString()) as MagikaResult[]
  return [...new Map(list.map(entry => [entry.path ?? entry.content_base64, entry])).values()]
}

/** Whether the tool asks the model at all: not about contents that are short, or mostly spaces. */
export function asksModel(bytes: Uint8Array, features: Tensor<'int32'>, config: MagikaConfig): boolean {
  const { min_file_size_for_dl: least, padding_token: padding } = config
  return bytes.length >= least && features.data[least - 1] !== padding
}

/** What the tool says without asking the model. */
export function labelWithoutModel(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty'
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return 'txt'
  } catch {
    return 'unknown'
  }
}

/** Label and bytes of every labelled sample file. */
export function magikaFiles(): {
  readonly label: string
  readonly file: string
  readonly bytes: Uint8Array
}[] {
  return readdirSync(samples)
    .sort()
    .flatMap(label =>
      readdirSync(join(samples, label))
        .sort()
        .map(file => ({ label, file, bytes: readFileSync(join(samples, label, file)) })),
    )
}

/** First and last bytes of a file without surrounding white space, padded with a token of their own: [1, 2048] int32. */
export function magikaFeatures(bytes: Uint8Array, config: MagikaConfig): Tensor<'int32'> {
  const { beg_size: begin, end_size: end, block_size: block, padding_token: padding } = config
  const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13)
  const first = bytes.subarray(0, block)
  const last = bytes.subarray(Math.max(0, bytes.length - block))
  const from = first.findIndex(byte => !isSpace(byte))
  const to = last.findLastIndex(byte => !isSpace(byte)) + 1
  const head = from < 0 ? new Uint8Array(0) : first.subarray(from, from + begin)
  const tail = last.subarray(Math.max(0, to - end), to)
  const features = new Int32Array(begin + end).fill(padding)
  features.set(head, 0)
  features.set(tail, begin + end - tail.length)
  return tensor('int32', [1, begin + end], features)
}

/** Two files; magika.test.ts has all of them. */
async function magikaRuns(): Promise<RealRun[]> {
  const config = magikaConfig()
  return magikaFiles()
    .filter(({ file }) => file === 'code.py' || file === 'magika_test.png')
    .map(({ label, file, bytes }) => ({
      name: `${label}/${file}`,
      feeds: { bytes: magikaFeatures(bytes, config) },
    }))
}

/** Magnitude spectra of consecutive frames (512 samples, hop 128) of a recorded sound. */
async function speechRuns(): Promise<RealRun[]> {
  const wav = readFileSync(join(samples, 'wav/test.wav'))
  const start = wav.indexOf('data') + 8
  const view = new DataView(wav.buffer, wav.byteOffset + start, wav.length - start)
  const signal = Float64Array.from(
    { length: 512 + 11 * 128 },
    (_, i) => view.getInt16(2 * (20_000 + i), true) / 32768,
  )
  return Array.from({ length: 12 }, (_, frame) => ({
    name: `frame ${frame}`,
    feeds: {
      input_2: tensor('float32', [1, 1, 257], magnitudes(signal.subarray(frame * 128, frame * 128 + 512))),
      ...(frame === 0 && { input_3: zeros('float32', [1, 2, 128, 2]) }),
    },
  }))
}

function magnitudes(frame: Float64Array): Float32Array {
  return Float32Array.from({ length: frame.length / 2 + 1 }, (_, bin) => {
    let [re, im] = [0, 0]
    for (const [i, value] of frame.entries()) {
      const angle = (-2 * Math.PI * bin * i) / frame.length
      re += value * Math.cos(angle)
      im += value * Math.sin(angle)
    }
    return Math.hypot(re, im)
  })
}

const photo = join(samples, 'jpeg/magika_test.jpg')

async function faceRuns(): Promise<RealRun[]> {
  const input = await readImage(photo, {
    width: 640,
    height: 480,
    channels: 3,
    layout: 'nchw',
    dtype: 'float32',
    scale: 1,
    mean: [127],
    std: [128],
  })
  return [{ name: 'photograph', feeds: { input } }]
}

/** The luma of a photograph, as the model's makers feed it: [1, 1, 224, 224] in 0 to 1. */
async function lumaRuns(): Promise<RealRun[]> {
  const pixels = await sharp(photo).removeAlpha().resize(224, 224, { fit: 'fill' }).raw().toBuffer()
  const luma = new Float32Array(224 * 224)
  for (let i = 0; i < luma.length; i++)
    luma[i] = (0.299 * pixels[3 * i]! + 0.587 * pixels[3 * i + 1]! + 0.114 * pixels[3 * i + 2]!) / 255
  return [{ name: 'photograph', feeds: { input: tensor('float32', [1, 1, 224, 224], luma) } }]
}
