// The activation functions that every epilogue offers, by code (ops/support/activation.ts). The cheap ones are inlined
// where they are called; those that need exp are one function, so that a kernel does not carry them all.
#pragma once
#include "erf.hpp"
#include "hyperbolic.hpp"

namespace ESPALIER_ISA {

enum Activation : int32_t {
  activation_none,
  activation_relu,
  activation_clip,          // to [alpha, beta]
  activation_leaky_relu,    // alpha x below zero
  activation_sigmoid,
  activation_tanh,
  activation_hard_sigmoid,  // alpha x + beta, clipped to [0, 1]
  activation_hard_swish,
  activation_silu,          // x sigmoid(alpha x)
  activation_gelu,
  activation_gelu_tanh,
  activation_elu,           // alpha (exp(x) - 1) below zero
};

// max and min give their second argument where one is NaN: a NaN passes.
ESPALIER_INLINE f32v clip(f32v v, f32v lo, f32v hi) { return min(hi, max(lo, v)); }

ESPALIER_INLINE f32v hard_swish(f32v v) {
  return v * clip(fma(v, splat(1.0f / 6), splat(0.5f)), splat(0.0f), splat(1.0f));
}

ESPALIER_INLINE f32v elu(f32v v, f32v alpha) {
  return select(v < splat(0.0f), alpha * expm1(min(splat(0.0f), v)), v);
}

// The activations that are not a few instructions, of rows of `count` numbers that lie in memory. Vectors follow each other
// without a call between them, so that the processor works on several at a time.
__attribute__((noinline)) inline void activate_curves(int code, float* at, int64_t rows, int64_t stride, int64_t count,
                                                      f32v alpha) {
  const auto each = [&](const auto& curve) __attribute__((always_inline)) {
    for (int64_t row = 0; row < rows; row++)
      for (int64_t i = 0; i < count; i += lanes) {
        float* const to = at + row * stride + i;
        const int part = count - i < lanes ? int(count - i) : lanes;
        const f32v v = curve(part == lanes ? load(to) : load_part(to, part));
        if (part == lanes) store(to, v);
        else store_part(to, v, part);
      }
  };
  switch (code) {
    case activation_sigmoid: return each([](f32v v) __attribute__((always_inline)) { return sigmoid(v); });
    case activation_tanh: return each([](f32v v) __attribute__((always_inline)) { return tanh(v); });
    case activation_silu: return each([&](f32v v) __attribute__((always_inline)) { return v * sigmoid(alpha * v); });
    case activation_gelu: return each([](f32v v) __attribute__((always_inline)) { return gelu(v); });
    case activation_gelu_tanh: return each([](f32v v) __attribute__((always_inline)) { return gelu_tanh(v); });
    default: return each([&](f32v v) __attribute__((always_inline)) { return elu(v, alpha); });
  }
}
ESPALIER_INLINE bool is_curve(int code) {
  return code == activation_sigmoid || code == activation_tanh || code >= activation_silu;
}

// One vector; a curve by way of memory.
ESPALIER_INLINE f32v activate(int code, f32v v, f32v alpha, f32v beta) {
  switch (code) {
    case activation_none: return v;
    case activation_relu: return max(splat(0.0f), v);
    case activation_clip: return clip(v, alpha, beta);
    case activation_leaky_relu: return select(v < splat(0.0f), alpha * v, v);
    case activation_hard_sigmoid: return clip(fma(v, alpha, beta), splat(0.0f), splat(1.0f));
    case activation_hard_swish: return hard_swish(v);
    default:
      activate_curves(code, reinterpret_cast<float*>(&v), 1, 0, lanes, alpha);
      return v;
  }
}

}  // namespace ESPALIER_ISA
