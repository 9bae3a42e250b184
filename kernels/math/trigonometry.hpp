// Circular functions and their inverses, to 1 to 3 ulp. The angle is reduced to |r| <= pi/4 by taking n pi/2 away in three
// parts, short enough for n times the first two to be exact; from 8192 on the angle is reduced lane by lane in integers
// (Payne and Hanek, "Radian reduction for trigonometric functions", 1983). Polynomials are minimax fits.
#pragma once
#include "../core/simd.hpp"

namespace ESPALIER_ISA {

struct Angle {
  f32v r;         // in [-pi/4, pi/4]
  i32v quadrant;  // x = r + quadrant pi/2; only its two lowest bits count
};

// x modulo pi/2 for finite |x| >= 8192: the bits of 2/pi that matter, times the mantissa.
inline float reduce_large(float x, int32_t& quadrant) {
  static constexpr uint32_t two_over_pi[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                             0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};  // from bit -31 on
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint64_t mantissa = (bits & 0x7fffff) | 0x800000;
  // x = mantissa 2^k. Bits of 2/pi before number k - 1 give multiples of four quadrants.
  const int k = int(bits >> 23 & 255) - 150, first = k - 1 + 31, word = first >> 5, shift = first & 31;
  uint64_t window[3];
  for (int i = 0; i < 3; i++) {
    const uint64_t pair = uint64_t(two_over_pi[word + i]) << 32 | two_over_pi[word + i + 1];
    window[i] = pair << shift >> 32;
  }
  const uint64_t product = (mantissa * window[0] << 32) + mantissa * window[1] + (mantissa * window[2] >> 32);
  const uint64_t nearest = (product + (uint64_t(1) << 61)) >> 62;
  const double rest = double(int64_t(product - (nearest << 62))) * (1.5707963267948966 / 4611686018427387904.0);
  const bool negative = bits >> 31;
  quadrant = negative ? -int32_t(nearest) : int32_t(nearest);
  return float(negative ? -rest : rest);
}

ESPALIER_INLINE Angle reduce_angle(f32v x) {
  const f32v n = round_even(x * splat(0.636619772f));
  f32v r = fma(n, splat(-1.5703125f), x);
  r = fma(n, splat(-4.8375129699707031e-4f), r);
  r = fma(n, splat(-7.5497899548918821e-8f), r);
  Angle result{r, to_i32(min(splat(16384.0f), max(splat(-16384.0f), n)))};
  const i32v large = abs(x) >= splat(8192.0f);
  for (int i = 0; i < lanes; i++) {
    if (!large[i]) continue;
    int32_t quadrant = 0;
    result.r[i] = x[i] - x[i] == 0 ? reduce_large(x[i], quadrant) : __builtin_nanf("");
    result.quadrant[i] = quadrant;
  }
  return result;
}

ESPALIER_INLINE f32v sin_reduced(f32v r) {
  const f32v s = r * r;
  f32v p = splat(-0.00019514632f);
  p = fma(p, s, splat(0.00833215564f));
  p = fma(p, s, splat(-0.166666552f));
  return fma(p * s, r, r);
}
ESPALIER_INLINE f32v cos_reduced(f32v r) {
  const f32v s = r * r;
  f32v p = splat(2.44324128e-05f);
  p = fma(p, s, splat(-0.00138873095f));
  p = fma(p, s, splat(0.0416666456f));
  return fma(p, s * s, fma(s, splat(-0.5f), splat(1.0f)));
}

// sin(x + turn pi/2)
ESPALIER_INLINE f32v sin_turned(f32v x, int32_t turn) {
  const Angle a = reduce_angle(x);
  const i32v quadrant = a.quadrant + turn;
  const f32v v = select((quadrant & 1) != 0, cos_reduced(a.r), sin_reduced(a.r));
  return as_f32(as_i32(v) ^ ((quadrant & 2) << 30));
}
ESPALIER_INLINE f32v sin(f32v x) { return sin_turned(x, 0); }
ESPALIER_INLINE f32v cos(f32v x) { return sin_turned(x, 1); }
ESPALIER_INLINE f32v tan(f32v x) {
  const Angle a = reduce_angle(x);
  const f32v s = sin_reduced(a.r), c = cos_reduced(a.r);
  const i32v odd = (a.quadrant & 1) != 0;
  return select(odd, -c, s) / select(odd, s, c);
}

// t + t^3 P(t^2) for t = |x| or 1/|x|, whichever is at most 1.
ESPALIER_INLINE f32v atan(f32v x) {
  const f32v magnitude = abs(x);
  const i32v steep = magnitude > splat(1.0f);
  const f32v t = select(steep, 1.0f / magnitude, magnitude), s = t * t;
  f32v p = splat(-0.00179362181f);
  p = fma(p, s, splat(0.010914606f));
  p = fma(p, s, splat(-0.0311778467f));
  p = fma(p, s, splat(0.0579575934f));
  p = fma(p, s, splat(-0.0840345025f));
  p = fma(p, s, splat(0.109521858f));
  p = fma(p, s, splat(-0.142642424f));
  p = fma(p, s, splat(0.199985489f));
  p = fma(p, s, splat(-0.333332986f));
  f32v result = fma(p * s, t, t);
  result = select(steep, 1.57079633f - result, result);
  return as_f32(as_i32(result) | (as_i32(x) & splat(int32_t(0x80000000))));
}

// asin(t) for t in [0, 1/2]
ESPALIER_INLINE f32v asin_small(f32v t, f32v square) {
  f32v p = splat(0.0421782285f);
  p = fma(p, square, splat(0.0241729524f));
  p = fma(p, square, splat(0.0454716086f));
  p = fma(p, square, splat(0.0749528855f));
  p = fma(p, square, splat(0.166667521f));
  return fma(p * square, t, t);
}

// Above 1/2: asin(t) = pi/2 - 2 asin(sqrt((1 - t) / 2)).
ESPALIER_INLINE f32v asin(f32v x) {
  const f32v t = abs(x);
  const i32v far = t > splat(0.5f);
  const f32v square = select(far, (1.0f - t) * 0.5f, t * t);
  const f32v near = asin_small(select(far, sqrt(square), t), square);
  const f32v result = select(far, fma(near, splat(-2.0f), splat(1.57079633f)), near);
  return as_f32(as_i32(result) ^ (as_i32(x) & splat(int32_t(0x80000000))));
}

ESPALIER_INLINE f32v acos(f32v x) {
  const f32v t = abs(x);
  const i32v far = t > splat(0.5f), negative = x < splat(0.0f);
  const f32v square = select(far, (1.0f - t) * 0.5f, t * t);
  const f32v near = asin_small(select(far, sqrt(square), t), square);
  const f32v signed_near = select(negative, -near, near);
  const f32v turned = select(negative, fma(near, splat(-2.0f), splat(3.14159265f)), near + near);
  return select(far, turned, 1.57079633f - signed_near);
}

}  // namespace ESPALIER_ISA
