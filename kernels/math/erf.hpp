// The error function, and x times the normal distribution function (GELU), to 1 to 3 ulp
// (GELU below zero: 6e-8 absolute, 2e-6 relative). Polynomials are minimax fits.
#pragma once
#include "exp.hpp"

namespace ESPALIER_ISA {

// Near zero x + x P(x^2); further out 1 - exp(Q(|x|)).
ESPALIER_INLINE f32v erf(f32v x) {
  const f32v square = x * x;
  f32v p = splat(-0.00059537414927035570f);
  p = fma(p, square, splat(0.0049859406426548958f));
  p = fma(p, square, splat(-0.026761719956994057f));
  p = fma(p, square, splat(0.11281682550907135f));
  p = fma(p, square, splat(-0.37612479925155640f));
  p = fma(p, square, splat(0.12837915122509003f));
  const f32v near = fma(p, x, x);

  const f32v t = min(splat(4.0f), abs(x));
  f32v q = splat(0.00019593728939071298f);
  q = fma(q, t, splat(-0.0030432178173214197f));
  q = fma(q, t, splat(0.022226922214031219f));
  q = fma(q, t, splat(-0.10393159836530685f));
  q = fma(q, t, splat(-0.63718223571777344f));
  q = fma(q, t, splat(-1.1276756525039673f));
  q = fma(q, t, splat(-0.00019567516574170440f));
  const f32v far = 1.0f - exp_flushed(q);
  const i32v sign = as_i32(x) & splat(int32_t(0x80000000));
  return select(t < splat(0.92f), near, as_f32(as_i32(far) | sign));
}

// x Phi(x) = max(x, 0) - |x| Phi(-|x|), with Phi(-t) = exp(Q(t)): the negative side keeps its relative precision.
ESPALIER_INLINE f32v gelu(f32v x) {
  const f32v t = min(splat(6.5f), abs(x));  // Phi(-6.5) = 4e-11
  f32v q = splat(-1.15866818e-08f);
  q = fma(q, t, splat(3.8364243e-07f));
  q = fma(q, t, splat(-5.38455106e-06f));
  q = fma(q, t, splat(4.04624734e-05f));
  q = fma(q, t, splat(-0.0001523057f));
  q = fma(q, t, splat(-8.23192531e-05f));
  q = fma(q, t, splat(0.00491072051f));
  q = fma(q, t, splat(-0.0364104994f));
  q = fma(q, t, splat(-0.318288714f));
  q = fma(q, t, splat(-0.797886789f));
  q = fma(q, t, splat(-0.693147123f));
  const f32v positive = x - min(splat(0.0f), x);  // at minus infinity no number, as the product that this is has none
  return positive - t * exp_flushed(q);
}

}  // namespace ESPALIER_ISA
