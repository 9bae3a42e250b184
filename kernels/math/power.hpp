// x to the power of y as C's pow has it: 2^(y log2 |x|) in float64, since y multiplies the error of the logarithm, then
// the sign and the special values. About 1 ulp of float32.
#pragma once
#include "../core/simd.hpp"

namespace ESPALIER_ISA {

constexpr int wide_lanes = lanes / 2;
typedef float f32h __attribute__((vector_size(wide_lanes * 4)));
typedef double f64v __attribute__((vector_size(vector_bytes)));
typedef uint64_t u64v __attribute__((vector_size(vector_bytes)));

// log2 of a positive finite number: e + log2(1 + f), by the series of the inverse hyperbolic tangent.
ESPALIER_INLINE f64v log2_wide(f64v x) {
  constexpr uint64_t root = 0x3fe6a09e667f3bcd;  // sqrt(1/2)
  const u64v bits = (u64v)x - root;
  // A whole number of 11 bits to float64: put it below 2^52.
  const u64v steps = (bits + (uint64_t(1023) << 52)) >> 52;
  const f64v e = (f64v)(steps | 0x4330000000000000) - (4503599627370496.0 + 1023.0);
  const f64v m = (f64v)((bits & 0xfffffffffffff) + root);
  const f64v z = (m - 1.0) / (m + 1.0), w = z * z;
  f64v p = w * 0.2825396274433547 + 0.31993473106699594;
  p = p * w + 0.41220840426406929;
  p = p * w + 0.57707795315068788;
  p = p * w + 0.96179669405798907;
  p = p * w + 2.8853900817779268;
  return p * z + e;
}

// 2^t, beyond float32's range limited to what becomes zero or infinity there.
ESPALIER_INLINE f64v exp2_wide(f64v t) {
  t = t > 160.0 ? f64v{} + 160.0 : t;
  t = t < -160.0 ? f64v{} - 160.0 : t;
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52: rounds to whole numbers, held in the low bits
  const f64v shifted = t + magic;
  const f64v r = t - (shifted - magic);
  f64v p = r * 0.00015353361885487866 + 0.0013398874422322154;
  p = p * r + 0.0096184373578274123;
  p = p * r + 0.055503324711000765;
  p = p * r + 0.24022647913626449;
  p = p * r + 0.69314720285508247;
  p = p * r + 1.0;
  return p * (f64v)(((u64v)shifted + 1023) << 52);
}

ESPALIER_INLINE f32v power_of_positive(f32v x, f32v y) {
  f32v result;
  for (int half = 0; half < 2; half++) {
    f32h a, b;
    __builtin_memcpy(&a, reinterpret_cast<const char*>(&x) + half * sizeof a, sizeof a);
    __builtin_memcpy(&b, reinterpret_cast<const char*>(&y) + half * sizeof b, sizeof b);
    const f64v t = __builtin_convertvector(b, f64v) * log2_wide(__builtin_convertvector(a, f64v));
    const f32h r = __builtin_convertvector(exp2_wide(t), f32h);
    __builtin_memcpy(reinterpret_cast<char*>(&result) + half * sizeof r, &r, sizeof r);
  }
  return result;
}

ESPALIER_INLINE f32v pow(f32v x, f32v y) {
  const f32v zero{}, one = splat(1.0f), inf = splat(__builtin_inff());
  const f32v base = abs(x);
  f32v result = power_of_positive(base, y);
  // Bases without a finite logarithm.
  const f32v vanished = select(y > zero, zero, inf);
  result = select(base == zero, vanished, result);
  result = select(base == inf, select(y > zero, inf, zero), result);
  const f32v half = y * 0.5f;
  const i32v whole = floor(y) == y, odd = whole & (floor(half) != half);
  result = select(odd & (as_i32(x) < 0), -result, result);
  // A negative number has no power that is not whole.
  result = select((x < zero) & (base < inf) & ~whole, splat(__builtin_nanf("")), result);
  result = select(((x != x) | (y != y)), x + y, result);
  const i32v endless = abs(y) == inf;
  return select((y == zero) | (x == one) | ((base == one) & endless), one, result);
}

}  // namespace ESPALIER_ISA
