// What becomes of the exact 32-bit sums of a product of 8-bit integers: zero points are taken off, and the sums are kept,
// dequantised to float32, or requantised to 8 bits. One function ends all products (gemm, convolution, depthwise).
//
//   sum (x - zx)(w - zw) = sum x w - zx * (sum of the column of w) - zw * (sum of the row of x - count * zx)
//
// Sums wrap modulo 2^32, as the operators say. Requantisation is float32 and half to even: round(sum * (sx * sw / sy)) + zy.
#pragma once
#include "core/context.hpp"
#include "math/activation.hpp"
#include "simd8.hpp"

namespace ESPALIER_ISA {

enum SumOutput : int32_t { sums_s32, sums_f32, sums_u8, sums_s8 };

struct Sums {
  int32_t x_zero;  // of the activations as they are multiplied
  const uint8_t* w_zero;
  int w_zeros;
  uint8_t w_flip;  // weights are packed as signed bytes: unsigned ones less 128
  float x_scale, y_scale;
  const float* w_scale;
  int w_scales;
  const void* bias;
  bool bias_float;
  const float* residual;
  uint8_t* y;
  int output, activation;
  float alpha, beta;
  int32_t y_zero;
  float least, greatest;  // bounds of a requantised value before y_zero
};

// A zero point in the form in which bytes with `flip` applied are read.
ESPALIER_INLINE int32_t zero_of(const uint8_t* p, uint8_t flip, bool is_signed) {
  const uint8_t byte = uint8_t((p ? *p : 0) ^ flip);
  return is_signed ? int32_t(int8_t(byte)) : int32_t(byte);
}
// What prepared activations are xored with, and their zero point; 16-bit ones have it taken off.
ESPALIER_INLINE uint8_t activation_flip(bool is_signed) { return is_signed != activations_signed ? 0x80 : 0; }
ESPALIER_INLINE int32_t prepared_zero(const uint8_t* p, bool is_signed) {
  return dot_depth == 2 ? 0 : zero_of(p, activation_flip(is_signed), activations_signed);
}

// Reads the fields that all products share.
template <class Step>
Sums sums_of(const Step& s, const espalier::Context& c, int32_t x_zero) {
  Sums f{};
  f.x_zero = x_zero;
  f.w_zero = c.at<const uint8_t>(s.wZero);
  f.w_zeros = s.wZeros;
  f.w_flip = s.wSigned ? 0 : 0x80;
  const float* x_scale = c.at<const float>(s.xScale);
  const float* y_scale = c.at<const float>(s.yScale);
  f.x_scale = x_scale ? *x_scale : 1;
  f.y_scale = y_scale ? *y_scale : 1;
  f.w_scale = c.at<const float>(s.wScale);
  f.w_scales = s.wScales;
  f.bias = c.at<const void>(s.bias);
  f.bias_float = s.biasFloat;
  f.residual = c.at<const float>(s.residual);
  f.y = c.at<uint8_t>(s.y);
  f.output = s.output;
  f.activation = s.activation;
  f.alpha = s.alpha;
  f.beta = s.beta;
  if (f.output < sums_u8) return f;
  const bool is_signed = f.output == sums_s8;
  f.y_zero = zero_of(c.at<const uint8_t>(s.yZero), 0, is_signed);
  f.least = float((is_signed ? -128 : 0) - f.y_zero);
  f.greatest = float((is_signed ? 127 : 255) - f.y_zero);
  // Relu and clip are bounds of the result.
  const float lo = f.activation == activation_relu ? 0 : f.alpha / f.y_scale, hi = f.beta / f.y_scale;
  if (f.activation == activation_relu || f.activation == activation_clip) {
    if (lo > f.least) f.least = lo < f.greatest ? lo : f.greatest;
    if (f.activation == activation_clip && hi < f.greatest) f.greatest = hi > f.least ? hi : f.least;
    f.activation = activation_none;
  }
  return f;
}

// Whether weights have a zero point once they are packed.
ESPALIER_INLINE bool has_weight_zeros(const Sums& f) {
  for (int i = 0; i < (f.w_zero ? f.w_zeros : f.w_flip ? 1 : 0); i++)
    if (zero_of(f.w_zero ? f.w_zero + i : nullptr, f.w_flip, true) != 0) return true;
  return false;
}

ESPALIER_INLINE i32v load_some(const int32_t* p, int n) {
  if (n >= lanes) return load(p);
  i32v v{};
  for (int i = 0; i < n; i++) v[i] = p[i];
  return v;
}
ESPALIER_INLINE void store_some(int32_t* p, i32v v, int n) {
  if (n >= lanes) return store(p, v);
  for (int i = 0; i < n; i++) p[i] = v[i];
}

// Ends `rows` rows of `count` columns (at most dot_columns) from `column` on. `sums` has rows of dot_columns; row_sums is
// null where weights have no zero point; y_at is the place of the first result, rows lie y_stride apart.
__attribute__((noinline)) inline void finish_sums(const Sums& f, const int32_t* sums, const int32_t* row_sums,
                                                  const int32_t* column_sums, int rows, int64_t column, int count,
                                                  int64_t y_at, int64_t y_stride) {
  const bool curve = f.output == sums_f32 && is_curve(f.activation);
  const bool simple = f.output == sums_f32 && !row_sums && (curve || f.activation <= activation_clip);
  const bool clips = f.activation == activation_clip, bounded = clips || f.activation == activation_relu;
  const f32v lo = splat(clips ? f.alpha : 0.0f), hi = splat(clips ? f.beta : __builtin_inff());
  for (int v = 0; v < count; v += lanes) {
    const int n = count - v < lanes ? count - v : lanes;
    const int64_t at = column + v;
    i32v term = wrap_mul(load(column_sums + v), splat(-f.x_zero));
    if (f.bias && !f.bias_float) term = wrap_add(term, load_some(static_cast<const int32_t*>(f.bias) + at, n));
    i32v w_zero{};
    if (row_sums)
      for (int i = 0; i < n; i++)
        w_zero[i] = zero_of(f.w_zero ? f.w_zero + (f.w_zeros == 1 ? 0 : at + i) : nullptr, f.w_flip, true);
    f32v scale = splat(1.0f);
    if (f.w_scale) scale = f.w_scales == 1 ? splat(*f.w_scale) : load_part(f.w_scale + at, n);
    scale = splat(f.x_scale) * scale;
    f32v bias{};
    if (f.bias && f.bias_float) bias = load_part(static_cast<const float*>(f.bias) + at, n);
    if (f.output >= sums_u8) {
      scale = scale / splat(f.y_scale);
      bias = bias / splat(f.y_scale);
    }
    if (simple && n == lanes) {
      float* y = reinterpret_cast<float*>(f.y) + y_at + v;
      const float* residual = f.residual ? f.residual + y_at + v : nullptr;
      for (int r = 0; r < rows; r++, y += y_stride) {
        f32v value = to_f32(wrap_add(load(sums + r * dot_columns + v), term)) * scale + bias;
        if (residual) value += load(residual + r * y_stride);
        if (bounded) value = clip(value, lo, hi);
        store(y, value);
      }
      continue;
    }
    for (int r = 0; r < rows; r++) {
      i32v sum = wrap_add(load(sums + r * dot_columns + v), term);
      if (row_sums) sum = wrap_add(sum, wrap_mul(w_zero, splat(-row_sums[r])));
      const int64_t to = y_at + r * y_stride + v;
      if (f.output == sums_s32) {
        store_some(reinterpret_cast<int32_t*>(f.y) + to, sum, n);
        continue;
      }
      f32v value = to_f32(sum) * scale + bias;
      if (f.output == sums_f32) {
        if (f.residual) value += n == lanes ? load(f.residual + to) : load_part(f.residual + to, n);
        if (!curve) value = activate(f.activation, value, splat(f.alpha), splat(f.beta));
        float* y = reinterpret_cast<float*>(f.y) + to;
        if (n == lanes) store(y, value);
        else store_part(y, value, n);
        continue;
      }
      if (f.activation != activation_none) {
        const f32v unit = splat(f.y_scale);
        value = activate(f.activation, value * unit, splat(f.alpha), splat(f.beta)) / unit;
      }
      value = min(max(value, splat(f.least)), splat(f.greatest));
      store_bytes(f.y + to, to_bytes(to_i32(round_even(value)) + splat(f.y_zero)), n);
    }
  }
  if (curve) activate_curves(f.activation, reinterpret_cast<float*>(f.y) + y_at, rows, y_stride, count, splat(f.alpha));
}

}  // namespace ESPALIER_ISA
