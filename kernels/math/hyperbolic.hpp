// tanh and the functions made of exp: sigmoid, softplus, mish, sinh, cosh and their inverses. Branch-free; NaN stays NaN.
#pragma once
#include "exp.hpp"
#include "log.hpp"

namespace ESPALIER_ISA {

// x P(x^2) / Q(x^2), minimax over the range where tanh is not 1; at most 5 ulp, and 1 below 1.
ESPALIER_INLINE f32v tanh(f32v v) {
  const f32v x = min(splat(9.02f), max(splat(-9.02f), v));
  const f32v s = x * x;
  f32v p = splat(-1.2203502097740682e-11f);
  p = fma(p, s, splat(3.0585074028977033e-8f));
  p = fma(p, s, splat(2.8007481887470931e-5f));
  p = fma(p, s, splat(0.0038683288730680943f));
  p = fma(p, s, splat(0.13679915666580200f));
  p = fma(p, s, splat(1.0f));
  f32v q = splat(1.2873681498604128e-6f);
  q = fma(q, s, splat(0.00039386330172419548f));
  q = fma(q, s, splat(0.027245843783020973f));
  q = fma(q, s, splat(0.47013247013092041f));
  q = fma(q, s, splat(1.0f));
  return min(splat(1.0f), max(splat(-1.0f), x * p / q));
}

// 1 / (1 + exp(-x)), from exp(-|x|), which cannot overflow.
ESPALIER_INLINE f32v sigmoid(f32v x) {
  const f32v e = exp_flushed(as_f32(as_i32(x) | splat(int32_t(0x80000000))));
  return select(x < splat(0.0f), e, splat(1.0f)) / (e + 1.0f);
}

// ln(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))
ESPALIER_INLINE f32v softplus(f32v x) {
  const f32v e = exp_flushed(as_f32(as_i32(x) | splat(int32_t(0x80000000))));
  return max(splat(0.0f), x) + log1p(e);
}

// x tanh(ln(1 + e)) = x n / (n + 2) with n = e (e + 2), e = exp(x)
ESPALIER_INLINE f32v mish(f32v x) {
  const f32v e = exp_flushed(min(splat(20.0f), x));
  const f32v n = e * (e + 2.0f);
  return x * (n / (n + 2.0f));
}

// x / 2 (1 + tanh(u)) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)
ESPALIER_INLINE f32v gelu_tanh(f32v x) {
  const f32v cubic = fma(x * x, splat(0.044715f), splat(1.0f));
  return x * sigmoid(x * cubic * splat(1.59576912160573f));
}

// exp(x/2) squared overflows only where the result does.
ESPALIER_INLINE f32v cosh(f32v x) {
  const f32v root = exp(abs(x) * 0.5f), square = root * root;
  return root * 0.5f * root + 0.5f / square;
}

// Near zero the odd series, whose terms do not cancel.
ESPALIER_INLINE f32v sinh(f32v x) {
  const f32v s = x * x;
  f32v p = splat(2.81695111e-6f);
  p = fma(p, s, splat(0.000198361595f));
  p = fma(p, s, splat(0.0083333496f));
  p = fma(p, s, splat(0.166666672f));
  const f32v root = exp(abs(x) * 0.5f), square = root * root;
  const f32v far = root * 0.5f * root - 0.5f / square;
  const i32v sign = as_i32(x) & splat(int32_t(0x80000000));
  return select(abs(x) < splat(1.0f), fma(p * s, x, x), as_f32(as_i32(far) | sign));
}

// ln(t + sqrt(t^2 + 1)) as log1p, for |x|; where the square would overflow, ln 2t.
ESPALIER_INLINE f32v asinh(f32v x) {
  const f32v t = abs(x), u = min(splat(1e9f), t), s = u * u;
  const f32v near = log1p(u + s / (sqrt(s + 1.0f) + 1.0f));
  const f32v result = select(t > splat(1e9f), log(t) + 0.693147181f, near);
  return as_f32(as_i32(result) | (as_i32(x) & splat(int32_t(0x80000000))));
}

ESPALIER_INLINE f32v acosh(f32v x) {
  const f32v u = min(splat(1e9f), x) - 1.0f;
  return select(x > splat(1e9f), log(x) + 0.693147181f, log1p(u + sqrt(u * (u + 2.0f))));
}

ESPALIER_INLINE f32v atanh(f32v x) {
  const f32v t = abs(x);
  const f32v result = log1p((t + t) / (1.0f - t)) * 0.5f;
  return as_f32(as_i32(result) ^ (as_i32(x) & splat(int32_t(0x80000000))));
}

}  // namespace ESPALIER_ISA
