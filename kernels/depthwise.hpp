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
// Channels of a job: whole cache lines; a job is so many channels of a row of the output.
constexpr int64_t depthwise_group = 256;

// Other activations than a clip, one vector at a time.
__attribute__((noinline)) inline f32v depthwise_activate(const espalier::steps::depthwise_f32& s, f32v v) {
  return activate(s.activation, v, splat(s.alpha), splat(s.beta));
}

// A line of taps that meets the input: where column 0 of the input line lies, and the weights.
struct DepthwiseLine {
  const float *x, *w;
};
constexpr int depthwise_lines = 32;

// A row of the output, or a part of its sum where a kernel has more lines of taps than fit.
struct DepthwiseRow {
  const espalier::steps::depthwise_f32& s;
  const float *bias, *residual;
  float* y;
  int64_t outputs;
  bool first, last;  // part of the sum
  bool curved;       // the activation is not a clip
  f32v lo, hi;       // what the clip clips to
  int lines;
  DepthwiseLine line[depthwise_lines];
};

// A vector, or its first n lanes.
template <bool Full>
ESPALIER_INLINE f32v depthwise_part(const float* p, int n) {
  if constexpr (Full) return load(p);
  else return load_part(p, n);
}

// The input channels that `n` output channels from `o` on see, where every one has several.
ESPALIER_INLINE f32v depthwise_spread(const float* x, int64_t o, int n, int multiplier) {
  float spread[lanes];
  for (int i = 0; i < lanes; i++) spread[i] = i < n ? x[(o + i) / multiplier] : 0.0f;
  return load(spread);
}

// `Pixels` outputs from column j on, `Vectors` vectors of channels from o on, each of n lanes. `Checked`: some windows
// reach over the ends of the line. `Wide`: taps along the line, 0 where only the step knows.
template <int Pixels, int Vectors, int Wide, bool Full, bool Checked, bool Multiplied>
__attribute__((noinline)) void depthwise_tile(const DepthwiseRow& t, int64_t j, int64_t o, int n) {
  const auto& s = t.s;
  f32v sum[Pixels][Vectors];
  float* y = t.y + j * t.outputs + o;
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; v++) {
    const f32v start = t.bias ? depthwise_part<Full>(t.bias + o + v * lanes, n) : f32v{};
#pragma GCC unroll 4
    for (int p = 0; p < Pixels; p++)
      sum[p][v] = t.first ? start : depthwise_part<Full>(y + p * t.outputs + v * lanes, n);
  }
  const int wide = Wide > 0 ? Wide : s.kernel[2];
  const int64_t channels = s.channels, step = int64_t(s.strides[2]) * channels, spacing = int64_t(s.dilations[2]) * channels;
  const int64_t column = j * s.strides[2] - s.pads[2], outputs = t.outputs;
  const int64_t offset = column * channels + (Multiplied ? 0 : o);
  for (int l = 0; l < t.lines; l++) {
    const float *from = t.line[l].x + offset, *w = t.line[l].w + o;
#pragma GCC unroll 5
    for (int k = 0; k < wide; k++, from += spacing, w += outputs) {
      f32v weight[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; v++) weight[v] = depthwise_part<Full>(w + v * lanes, n);
      const float* pixel = from;
#pragma GCC unroll 4
      for (int p = 0; p < Pixels; p++, pixel += step) {
        if constexpr (Checked) {
          const int64_t at = column + int64_t(k) * s.dilations[2] + p * s.strides[2];
          if (at < 0 || at >= s.input[2]) continue;
        }
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; v++) {
          const f32v x = Multiplied ? depthwise_spread(pixel, o, n, s.multiplier) : depthwise_part<Full>(pixel + v * lanes, n);
          sum[p][v] = fma(x, weight[v], sum[p][v]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < Pixels; p++, y += outputs) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; v++) {
      f32v r = sum[p][v];
      if (t.last) {
        if (t.residual) r += depthwise_part<Full>(t.residual + (y - t.y) + v * lanes, n);
        r = t.curved ? depthwise_activate(s, r) : clip(r, t.lo, t.hi);
      }
      if constexpr (Full) store(y + v * lanes, r);
      else store_part(y + v * lanes, r, n);
    }
  }
}

// `Pixels` outputs, for channels begin..end: along them first, since that is how they lie in memory.
template <int Pixels, int Wide, bool Checked>
inline void depthwise_channels(const DepthwiseRow& t, int64_t j, int64_t begin, int64_t end) {
  constexpr int wide = depthwise_vectors * lanes;
  int64_t o = begin;
  if (t.s.multiplier > 1) {
    for (; o < end; o += lanes)
      depthwise_tile<Pixels, 1, 0, false, Checked, true>(t, j, o, end - o < lanes ? int(end - o) : lanes);
    return;
  }
  for (; o + wide <= end; o += wide) depthwise_tile<Pixels, depthwise_vectors, Wide, true, Checked, false>(t, j, o, lanes);
  for (; o + lanes <= end; o += lanes) depthwise_tile<Pixels, 1, 0, true, Checked, false>(t, j, o, lanes);
  if (o < end) depthwise_tile<Pixels, 1, 0, false, Checked, false>(t, j, o, int(end - o));
}

template <int Wide>
inline void depthwise_row(const DepthwiseRow& t, int64_t begin, int64_t end) {
  const auto& s = t.s;
  const int64_t width = s.output[2], reach = int64_t(s.kernel[2] - 1) * s.dilations[2];
  if (width < depthwise_pixels) {
    for (int64_t j = 0; j < width; j++) depthwise_channels<1, Wide, true>(t, j, begin, end);
    return;
  }
  for (int64_t next = 0; next < width; next += depthwise_pixels) {
    // The last tile overlaps the one before it, rather than being narrower.
    const int64_t j = next + depthwise_pixels <= width ? next : width - depthwise_pixels;
    const int64_t from = j * s.strides[2] - s.pads[2];
    const int64_t to = from + int64_t(depthwise_pixels - 1) * s.strides[2] + reach;
    if (from >= 0 && to < s.input[2]) depthwise_channels<depthwise_pixels, Wide, false>(t, j, begin, end);
    else depthwise_channels<depthwise_pixels, Wide, true>(t, j, begin, end);
  }
}

// The lines of taps from `tap` on that meet the input at plane and row; the tap after the last that was looked at.
inline int64_t depthwise_find(DepthwiseRow& t, const float* x, const float* w, int64_t tap, int64_t plane, int64_t row) {
  const auto& s = t.s;
  const int64_t taps = int64_t(s.kernel[0]) * s.kernel[1];
  t.lines = 0;
  for (; tap < taps && t.lines < depthwise_lines; tap++) {
    const int64_t p = plane + tap / s.kernel[1] * s.dilations[0], r = row + tap % s.kernel[1] * s.dilations[1];
    if (p < 0 || p >= s.input[0] || r < 0 || r >= s.input[1]) continue;
    t.line[t.lines++] = {x + (p * s.input[1] + r) * s.input[2] * s.channels, w + tap * s.kernel[2] * t.outputs};
  }
  return tap;
}

inline void depthwise_f32(const espalier::steps::depthwise_f32& s, const Context& c) {
  const int64_t outputs = int64_t(s.channels) * s.multiplier, width = s.output[2];
  const int64_t planes = s.output[0], rows = s.output[1], taps = int64_t(s.kernel[0]) * s.kernel[1];
  const int64_t sample = int64_t(s.input[0]) * s.input[1] * s.input[2] * s.channels;
  if (outputs == 0 || width == 0) return;
  const bool clips = s.activation == activation_relu || s.activation == activation_clip;
  const float infinity = __builtin_inff();
  DepthwiseRow t = {s, c.at<const float>(s.bias), nullptr, nullptr, outputs, true, true,
                    !clips && s.activation != activation_none,
                    splat(s.activation == activation_relu ? 0.0f : clips ? s.alpha : -infinity),
                    splat(s.activation == activation_clip ? s.beta : infinity), 0, {}};
  const float *w = c.at<const float>(s.w), *residual = c.at<const float>(s.residual);
  const int64_t groups = (outputs + depthwise_group - 1) / depthwise_group;
  const auto row = [&](int64_t job) {
    const int64_t i = job / groups % rows, deep = job / groups / rows, begin = job % groups * depthwise_group;
    const int64_t end = begin + depthwise_group < outputs ? begin + depthwise_group : outputs;
    const float* x = c.at<const float>(s.x) + deep / planes * sample;
    t.y = c.at<float>(s.y) + job / groups * width * outputs;
    t.residual = residual ? residual + job / groups * width * outputs : nullptr;
    for (int64_t tap = 0; tap < taps;) {
      t.first = tap == 0;
      tap = depthwise_find(t, x, w, tap, deep % planes * s.strides[0] - s.pads[0], i * s.strides[1] - s.pads[1]);
      t.last = tap == taps;
      if (s.kernel[2] == 3) depthwise_row<3>(t, begin, end);
      else if (s.kernel[2] == 5) depthwise_row<5>(t, begin, end);
      else depthwise_row<0>(t, begin, end);
    }
  };
  const int64_t work = width * depthwise_group * taps * s.kernel[2];
  c.pieces(s.batch * planes * rows * groups, (1 << 18) / (work + 1) + 1, [&](int64_t first, int64_t last) {
    for (int64_t job = first; job < last; job++) row(job);
  });
}

inline void depthwise_pack_f32(const espalier::steps::depthwise_pack_f32& s, const Context& c) {
  const float* w = c.at<const float>(s.w);
  float* packed = c.at<float>(s.packed);
  const Range mine = c.share(s.outputs);
  for (int64_t o = mine.begin; o < mine.end; o++)
    for (int64_t t = 0; t < s.taps; t++) packed[t * s.outputs + o] = w[o * s.taps + t];
}

}  // namespace ESPALIER_ISA
