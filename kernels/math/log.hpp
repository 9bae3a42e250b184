// log and log1p of a vector, to about 1 ulp: log(x) = e ln 2 + log(1 + f), with 1 + f in [sqrt(1/2), sqrt(2)).
// The polynomial is the minimax fit of (log(1 + f) - f + f^2/2) / f^3; relative error 8e-10.
#pragma once
#include "../core/simd.hpp"

namespace ESPALIER_ISA {

ESPALIER_INLINE f32v log(f32v x) {
  const i32v subnormal = x < splat(1.17549435e-38f);
  const f32v normal = select(subnormal, x * 8388608.0f, x);
  // Adding the distance of sqrt(1/2) to 1 lets the exponent step at sqrt(1/2) instead of 1.
  const i32v bits = i32v(u32v(as_i32(normal)) + (0x3f800000u - 0x3f3504f3u));
  const i32v exponent = (bits >> 23) - 127 - (subnormal & splat(int32_t(23)));
  const f32v f = as_f32((bits & 0x007fffff) + 0x3f3504f3) - 1.0f;
  f32v p = splat(0.067466400563716888f);
  p = fma(p, f, splat(-0.11675652116537094f));
  p = fma(p, f, splat(0.11888162046670914f));
  p = fma(p, f, splat(-0.12405589222908020f));
  p = fma(p, f, splat(0.14219552278518677f));
  p = fma(p, f, splat(-0.16667996346950531f));
  p = fma(p, f, splat(0.20002119243144989f));
  p = fma(p, f, splat(-0.25000008940696716f));
  p = fma(p, f, splat(0.33333313465118408f));
  const f32v e = to_f32(exponent), square = f * f;
  f32v small = fma(p * f, square, e * splat(-2.12194440e-4f));
  small = fma(square, splat(-0.5f), small);
  f32v result = fma(e, splat(0.693359375f), f + small);
  result = select(x < splat(__builtin_inff()), result, x);  // infinity and NaN
  result = select(x == splat(0.0f), splat(-__builtin_inff()), result);
  return select(x < splat(0.0f), splat(__builtin_nanf("")), result);
}

// log(1 + x): what 1 + x loses to rounding is given back as the first term of its series.
ESPALIER_INLINE f32v log1p(f32v x) {
  const f32v sum = x + 1.0f;
  const f32v lost = x - (sum - 1.0f);
  const f32v result = log(sum) + lost / sum;
  // At -1 and infinity the correction is no number.
  return select(x > splat(-1.0f), select(x < splat(__builtin_inff()), result, x), log(sum));
}

}  // namespace ESPALIER_ISA
