// exp and expm1 of a vector, to about 1 ulp: exp(x) = 2^n * exp(r), n the nearest integer to x / ln 2, |r| <= ln 2 / 2.
// ln 2 is taken away in two parts, the first short enough for n times it to be exact without a fused multiply-add.
// The polynomial is the minimax fit of (exp(r) - 1 - r) / r^2; relative error 3e-9.
#pragma once
#include "../core/simd.hpp"

namespace ESPALIER_ISA {

struct ExpParts {
  f32v n;  // whole
  f32v q;  // exp(r) - 1
};

ESPALIER_INLINE ExpParts exp_parts(f32v x) {
  const f32v n = round_even(x * splat(1.44269504f));
  f32v r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  f32v p = splat(0.0013814539415761828f);
  p = fma(p, r, splat(0.008368745446205139f));
  p = fma(p, r, splat(0.041668388992547989f));
  p = fma(p, r, splat(0.16666521131992340f));
  p = fma(p, r, splat(0.49999994039535522f));
  return {n, fma(p, r * r, r)};
}

// 2^n for whole n in -127..127; 0 for -127.
ESPALIER_INLINE f32v power_of_two(f32v n) { return as_f32((to_i32(n) + 127) << 23); }

// v * 2^n for whole n in -252..254, rounded once where the result is subnormal.
ESPALIER_INLINE f32v scale(f32v v, f32v n) {
#if defined(__AVX512F__)
  return (f32v)_mm512_scalef_ps((__m512)v, (__m512)n);
#else
  const i32v whole = to_i32(n);
  const i32v half = whole >> 1;
  return v * as_f32((half + 127) << 23) * as_f32((whole - half + 127) << 23);
#endif
}

ESPALIER_INLINE f32v exp(f32v x) {
  // Beyond these the result is infinity or zero; NaN passes.
  const ExpParts e = exp_parts(min(splat(89.0f), max(splat(-105.0f), x)));
  return scale(e.q + 1.0f, e.n);
}

// exp for x <= 88, quicker; what would be subnormal is 0. For softmax, sigmoid and other uses with x <= 0.
ESPALIER_INLINE f32v exp_flushed(f32v x) {
  const ExpParts e = exp_parts(max(splat(-88.0f), x));
  const f32v power = power_of_two(e.n);
  return fma(e.q, power, power);
}

// exp(x) - 1 without cancellation: 2^n q + (2^n - 1), where n = 0 leaves q.
ESPALIER_INLINE f32v expm1(f32v x) {
  const ExpParts e = exp_parts(min(splat(89.0f), max(splat(-88.0f), x)));
  // 2^128 is beyond float32: half of it, and twice the result.
  const f32v half = scale(splat(0.5f), e.n);
  const f32v result = fma(e.q, half, half - 0.5f);
  return result + result;
}

}  // namespace ESPALIER_ISA
