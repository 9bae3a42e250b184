/**
 * The discrete Fourier transform of any length in O(n log n): powers of two by repeated halving (Cooley and Tukey
 * 1965), every other length as a convolution of power-of-two length (Bluestein 1970). Tables are computed
 * entry by entry, not by recurrence, so that errors stay near machine precision.
 */
import { EspalierError } from '../../errors.ts'
import { allocate } from '../../tensor/tensor.ts'

/** Transforms in place: X[k] = sum over j of x[j] exp(-2 pi i j k / n), not scaled. */
export type Transform = (re: Float64Array, im: Float64Array) => void

/** The tables of a longer one would take gigabytes. */
const longest = 2 ** 24

/** The forward transform of length `n`, with its tables. Throws `bad-argument` below 1, `too-large`. */
export function fourierTransform(n: number): Transform {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new EspalierError('bad-argument', 'not the length of a Fourier transform', {
      expected: '1 or more',
      got: `${n}`,
    })
  if (n > longest)
    throw new EspalierError('too-large', 'the Fourier transform is too long', {
      expected: `at most ${longest}`,
      got: `${n}`,
    })
  return (n & (n - 1)) === 0 ? powerOfTwo(n) : chirp(n)
}

/** The inverse transform of length `n`, scaled by 1/n. */
export function inverseFourierTransform(n: number): Transform {
  return inverseOf(fourierTransform(n), n)
}

function inverseOf(forward: Transform, n: number): Transform {
  return (re, im) => {
    forward(im, re) // exchanging the parts conjugates the exponentials
    for (let i = 0; i < n; i++) {
      re[i]! /= n
      im[i]! /= n
    }
  }
}

function powerOfTwo(n: number): Transform {
  const half = n / 2
  const cos = allocate('float64', Math.ceil(half))
  const sin = allocate('float64', Math.ceil(half))
  for (let i = 0; i < half; i++) {
    cos[i] = Math.cos((2 * Math.PI * i) / n)
    sin[i] = -Math.sin((2 * Math.PI * i) / n)
  }
  return (re, im) => {
    reverseBits(re, im, n)
    for (let size = 2; size <= n; size *= 2) {
      const [reach, stride] = [size / 2, n / size]
      for (let block = 0; block < n; block += size)
        for (let j = 0; j < reach; j++) {
          const [upper, lower] = [block + j, block + j + reach]
          const [wr, wi] = [cos[j * stride]!, sin[j * stride]!]
          const tr = re[lower]! * wr - im[lower]! * wi
          const ti = re[lower]! * wi + im[lower]! * wr
          re[lower] = re[upper]! - tr
          im[lower] = im[upper]! - ti
          re[upper]! += tr
          im[upper]! += ti
        }
    }
  }
}

/** Brings element i to the position that has the bits of i in reverse. */
function reverseBits(re: Float64Array, im: Float64Array, n: number): void {
  let reversed = 0
  for (let i = 1; i < n; i++) {
    let bit = n >> 1
    while (reversed & bit) {
      reversed ^= bit
      bit >>= 1
    }
    reversed |= bit
    if (reversed > i) {
      ;[re[i], re[reversed]] = [re[reversed]!, re[i]!]
      ;[im[i], im[reversed]] = [im[reversed]!, im[i]!]
    }
  }
}

/**
 * With w[k] = exp(-pi i k^2 / n) and jk = (j^2 + k^2 - (k-j)^2) / 2, the transform is
 * X[k] = w[k] * sum over j of (x[j] w[j]) conj(w[k-j]): a convolution, done by longer transforms.
 */
function chirp(n: number): Transform {
  let size = 1
  while (size < 2 * n - 1) size *= 2
  const wr = allocate('float64', n)
  const wi = allocate('float64', n)
  const filterRe = allocate('float64', size)
  const filterIm = allocate('float64', size)
  let square = 0 // k^2 modulo 2n, so that the angle stays exact
  for (let k = 0; k < n; k++) {
    wr[k] = Math.cos((Math.PI * square) / n)
    wi[k] = -Math.sin((Math.PI * square) / n)
    square = (square + 2 * k + 1) % (2 * n)
    for (const at of [k, (size - k) % size]) {
      filterRe[at] = wr[k]!
      filterIm[at] = -wi[k]!
    }
  }
  const forward = powerOfTwo(size)
  const backward = inverseOf(forward, size)
  forward(filterRe, filterIm)
  const ar = new Float64Array(size)
  const ai = new Float64Array(size)
  return (re, im) => {
    ar.fill(0)
    ai.fill(0)
    for (let k = 0; k < n; k++) {
      ar[k] = re[k]! * wr[k]! - im[k]! * wi[k]!
      ai[k] = re[k]! * wi[k]! + im[k]! * wr[k]!
    }
    forward(ar, ai)
    for (let k = 0; k < size; k++) {
      const real = ar[k]! * filterRe[k]! - ai[k]! * filterIm[k]!
      ai[k] = ar[k]! * filterIm[k]! + ai[k]! * filterRe[k]!
      ar[k] = real
    }
    backward(ar, ai)
    for (let k = 0; k < n; k++) {
      re[k] = ar[k]! * wr[k]! - ai[k]! * wi[k]!
      im[k] = ar[k]! * wi[k]! + ai[k]! * wr[k]!
    }
  }
}
