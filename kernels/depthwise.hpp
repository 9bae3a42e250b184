// Depthwise convolution of float32, channels last: vectors run along the channels, and a few output pixels of a row are
// held in registers, so that a vector of weights is loaded once for all of them.
//
// Floor: bytes of input and output, each once, at the bandwidth of where they lie (a 3x3 kernel does 2.25 multiply-adds
// for every byte read and written, below the balance of most machines); next the loads, one for a multiply-add.
#pragma once
#include "core/simd.hpp"
#include "generated/steps.hpp"
#include "math/activation.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// Output pixels and vectors of channels in registers: sums of AVX2 and WebAssembly fill half of the 16.
constexpr int depthwise_pixels = 4, depthwise_vectors = 2;

struct DepthwiseRow {
  const espalier::steps::depthwise_f32& s;
  const float* x;  // the sample
  const float *w, *bias, *residual;
  float* y;           // the row, as is residual
  int64_t plane, row;  // of the input, where the first tap is
  int64_t outputs;

  // The line of the input under tap (d, h); null on padding.
  const float* line(int d, int h) const {
    const int64_t p = plane + int64_t(d) * s.dilations[0], r = row + int64_t(h) * s.dilations[1];
    if (p < 0 || p >= s.input[0] || r < 0 || r >= s.input[1]) return nullptr;
    return x + (p * s.input[1] + r) * s.input[2] * s.channels;
  }
};

// The channels of one input pixel that `n` output channels from `o` on see.
template <bool Multiplied>
ESPALIER_INLINE f32v depthwise_load(const float* x, int64_t o, int n, int multiplier) {
  if constexpr (!Multiplied) {
    return n == lanes ? load(x + o) : load_part(x + o, n);
  } else {
    float spread[lanes];
    for (int i = 0; i < lanes; i++) spread[i] = i < n ? x[(o + i) / multiplier] : 0.0f;
    return load(spread);
  }
}

// `Pixels` outputs from column j on, `Vectors` vectors of channels from o on, of which the last has n lanes. `Checked`:
// some windows reach over the ends of the line.
template <int Pixels, int Vectors, bool Checked, bool Multiplied>
ESPALIER_INLINE void depthwise_tile(const DepthwiseRow& t, int64_t j, int64_t o, int n) {
  const auto& s = t.s;
  f32v sum[Pixels][Vectors];
  auto width = [&](int v) __attribute__((always_inline)) { return v == Vectors - 1 ? n : lanes; };
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; v++) {
    const f32v start = t.bias ? load_part(t.bias + o + v * lanes, width(v)) : f32v{};
#pragma GCC unroll 4
    for (int p = 0; p < Pixels; p++) sum[p][v] = start;
  }
  const float* w = t.w + o;
  const int64_t channels = s.channels, step = int64_t(s.strides[2]) * channels;
  for (int d = 0; d < s.kernel[0]; d++)
    for (int h = 0; h < s.kernel[1]; h++) {
      const float* line = t.line(d, h);
      if (!line) {
        w += s.kernel[2] * t.outputs;
        continue;
      }
      int64_t column = j * s.strides[2] - s.pads[2];
      for (int k = 0; k < s.kernel[2]; k++, column += s.dilations[2], w += t.outputs) {
        const float* from = line + column * channels;
        f32v weight[Vectors];
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; v++)
          weight[v] = v == Vectors - 1 && n < lanes ? load_part(w + v * lanes, n) : load(w + v * lanes);
#pragma GCC unroll 4
        for (int p = 0; p < Pixels; p++) {
          if (Checked && (column + p * s.strides[2] < 0 || column + p * s.strides[2] >= s.input[2])) continue;
#pragma GCC unroll 4
          for (int v = 0; v < Vectors; v++)
            sum[p][v] = fma(depthwise_load<Multiplied>(from + p * step, o + v * lanes, width(v), s.multiplier), weight[v],
                            sum[p][v]);
        }
      }
    }
  const f32v alpha = splat(s.alpha), beta = splat(s.beta);
  for (int p = 0; p < Pixels; p++)
    for (int v = 0; v < Vectors; v++) {
      const int64_t at = (j + p) * t.outputs + o + v * lanes;
      const int count = width(v);
      f32v r = sum[p][v];
      if (t.residual) r += load_part(t.residual + at, count);
      r = activate(s.activation, r, alpha, beta);
      if (count == lanes) store(t.y + at, r);
      else store_part(t.y + at, r, count);
    }
}

template <int Pixels, bool Checked, bool Multiplied>
inline void depthwise_channels(const DepthwiseRow& t, int64_t j) {
  constexpr int wide = depthwise_vectors * lanes;
  int64_t o = 0;
  if constexpr (!Multiplied)
    for (; o + wide <= t.outputs; o += wide) depthwise_tile<Pixels, depthwise_vectors, Checked, false>(t, j, o, lanes);
  for (; o < t.outputs; o += lanes) {
    const int64_t left = t.outputs - o;
    depthwise_tile<Pixels, 1, Checked, Multiplied>(t, j, o, left < lanes ? int(left) : lanes);
  }
}

template <bool Multiplied>
inline void depthwise_row(const DepthwiseRow& t) {
  const auto& s = t.s;
  const int64_t width = s.output[2], stride = s.strides[2], pad = s.pads[2];
  // Outputs begin..end see no padding along the line.
  int64_t begin = (pad + stride - 1) / stride;
  const int64_t last = s.input[2] - 1 + pad - int64_t(s.kernel[2] - 1) * s.dilations[2];
  int64_t end = last < 0 ? 0 : last / stride + 1;
  if (end > width) end = width;
  if (begin > end) begin = end = width;
  int64_t j = 0;
  for (; j < begin; j++) depthwise_channels<1, true, Multiplied>(t, j);
  for (; j + depthwise_pixels <= end; j += depthwise_pixels) depthwise_channels<depthwise_pixels, false, Multiplied>(t, j);
  for (; j < end; j++) depthwise_channels<1, false, Multiplied>(t, j);
  for (; j < width; j++) depthwise_channels<1, true, Multiplied>(t, j);
}

inline void depthwise_f32(const espalier::steps::depthwise_f32& s, const Context& c) {
  const int64_t outputs = int64_t(s.channels) * s.multiplier;
  const int64_t planes = s.output[0], rows = s.output[1];
  const int64_t sample = int64_t(s.input[0]) * s.input[1] * s.input[2] * s.channels;
  const float* residual = c.at<const float>(s.residual);
  if (outputs == 0 || s.output[2] == 0) return;
  const Range mine = c.share(s.batch * planes * rows);
  for (int64_t job = mine.begin; job < mine.end; job++) {
    const int64_t i = job % rows, d = job / rows % planes, n = job / rows / planes;
    const int64_t at = job * s.output[2] * outputs;
    const DepthwiseRow row = {s,
                              c.at<const float>(s.x) + n * sample,
                              c.at<const float>(s.w),
                              c.at<const float>(s.bias),
                              residual ? residual + at : nullptr,
                              c.at<float>(s.y) + at,
                              d * s.strides[0] - s.pads[0],
                              i * s.strides[1] - s.pads[1],
                              outputs};
    if (s.multiplier == 1) depthwise_row<false>(row);
    else depthwise_row<true>(row);
  }
}

inline void depthwise_pack_f32(const espalier::steps::depthwise_pack_f32& s, const Context& c) {
  const float* w = c.at<const float>(s.w);
  float* packed = c.at<float>(s.packed);
  const Range mine = c.share(s.outputs);
  for (int64_t o = mine.begin; o < mine.end; o++)
    for (int64_t t = 0; t < s.taps; t++) packed[t * s.outputs + o] = w[o * s.taps + t];
}

}  // namespace ESPALIER_ISA
