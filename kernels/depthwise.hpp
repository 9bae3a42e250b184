// Depthwise convolution of float32, channels last: vectors run along the channels, and a few output pixels of a row are
// held in registers, so that a vector of weights is loaded once for all of them. With the usual kernels (3 or 5 taps side
// by side, steps of 1 or 2, not dilated) a vector of the input is loaded once as well, for every output that sees it.
//
// Floor: bytes of input and output, each once, at the bandwidth of where they lie (a 3x3 kernel does 2.25 multiply-adds
// for every byte read and written, below the balance of most machines); next the multiply-adds at their peak, of which
// seven outputs of three taps take 21 to 12 loads.
#pragma once
#include "core/simd.hpp"
#include "generated/steps.hpp"
#include "math/activation.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// Output pixels in registers, of the usual kernels and of others. Feature maps are mostly multiples of 7 or 8 wide.
constexpr int depthwise_pixels = 7, depthwise_few_pixels = 4;
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
  bool curved;       // what the sum ends in is not a clip
  f32v lo, hi;       // what it is clipped to
  int lines;
  DepthwiseLine line[depthwise_lines];
};

// `Wide` taps side by side, outputs `Step` apart: depthwise_pixels outputs from column j on, whole vectors of channels.
// A column of the input is loaded once and goes to every output that sees it. `Checked`: some windows reach over the
// ends of the line.
template <int Wide, int Step, bool Checked>
__attribute__((noinline)) void depthwise_usual_tile(const DepthwiseRow& t, int64_t j, int64_t begin, int64_t end) {
  constexpr int pixels = depthwise_pixels, columns = (pixels - 1) * Step + Wide;
  const int64_t channels = t.outputs, width = t.s.input[2], column = j * Step - t.s.pads[2];
  float* y = t.y + j * channels;
  const float* residual = t.last && t.residual ? t.residual + j * channels : nullptr;
  for (int64_t o = begin; o < end; o += lanes) {
    f32v sum[pixels];
    const f32v start = t.bias ? load(t.bias + o) : f32v{};
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++) sum[p] = t.first ? start : load(y + p * channels + o);
    for (int l = 0; l < t.lines; l++) {
      const float *from = t.line[l].x + column * channels + o, *w = t.line[l].w + o;
      f32v weight[Wide];
#pragma GCC unroll 16
      for (int k = 0; k < Wide; k++) weight[k] = load(w + k * channels);
#pragma GCC unroll 32
      for (int i = 0; i < columns; i++, from += channels) {
        if (Checked && uint64_t(column + i) >= uint64_t(width)) continue;
        const f32v x = load(from);
#pragma GCC unroll 16
        for (int k = 0; k < Wide; k++)
          if (i >= k && (i - k) % Step == 0 && (i - k) / Step < pixels)
            sum[(i - k) / Step] = fma(x, weight[k], sum[(i - k) / Step]);
      }
    }
    if (residual)
#pragma GCC unroll 16
      for (int p = 0; p < pixels; p++) sum[p] += load(residual + p * channels + o);
    if (t.curved)
      for (int p = 0; p < pixels; p++) sum[p] = depthwise_activate(t.s, sum[p]);
    const f32v lo = t.lo, hi = t.hi;
    float* to = y + o;
#pragma GCC unroll 16
    for (int p = 0; p < pixels; p++, to += channels) store(to, clip(sum[p], lo, hi));
  }
}

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

// Any kernel: `Pixels` outputs from column j on, n channels from o on.
template <int Pixels, bool Full, bool Checked>
__attribute__((noinline)) void depthwise_tile(const DepthwiseRow& t, int64_t j, int64_t o, int n) {
  const auto& s = t.s;
  const bool multiplied = !Full && s.multiplier > 1;
  f32v sum[Pixels];
  float* y = t.y + j * t.outputs + o;
  const f32v start = t.bias ? depthwise_part<Full>(t.bias + o, n) : f32v{};
#pragma GCC unroll 4
  for (int p = 0; p < Pixels; p++) sum[p] = t.first ? start : depthwise_part<Full>(y + p * t.outputs, n);
  const int64_t channels = s.channels, step = int64_t(s.strides[2]) * channels, spacing = int64_t(s.dilations[2]) * channels;
  const int64_t column = j * s.strides[2] - s.pads[2], offset = column * channels + (multiplied ? 0 : o);
  for (int l = 0; l < t.lines; l++) {
    const float *from = t.line[l].x + offset, *w = t.line[l].w + o;
    for (int k = 0; k < s.kernel[2]; k++, from += spacing, w += t.outputs) {
      const f32v weight = depthwise_part<Full>(w, n);
      const float* pixel = from;
#pragma GCC unroll 4
      for (int p = 0; p < Pixels; p++, pixel += step) {
        if constexpr (Checked) {
          const int64_t at = column + int64_t(k) * s.dilations[2] + p * s.strides[2];
          if (at < 0 || at >= s.input[2]) continue;
        }
        const f32v x = multiplied ? depthwise_spread(pixel, o, n, s.multiplier) : depthwise_part<Full>(pixel, n);
        sum[p] = fma(x, weight, sum[p]);
      }
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < Pixels; p++, y += t.outputs) {
    if (t.last && t.residual) sum[p] += depthwise_part<Full>(t.residual + (y - t.y), n);
    const f32v r = clip(t.curved ? depthwise_activate(s, sum[p]) : sum[p], t.lo, t.hi);
    if constexpr (Full) store(y, r);
    else store_part(y, r, n);
  }
}

template <int Pixels, bool Checked>
inline void depthwise_any_tile(const DepthwiseRow& t, int64_t j, int64_t begin, int64_t end) {
  int64_t o = begin;
  if (t.s.multiplier == 1)
    for (; o + lanes <= end; o += lanes) depthwise_tile<Pixels, true, Checked>(t, j, o, lanes);
  for (; o < end; o += lanes) depthwise_tile<Pixels, false, Checked>(t, j, o, end - o < lanes ? int(end - o) : lanes);
}

// Calls f(j, checked) for tiles of `pixels` outputs that cover a row. The last one overlaps the one before it where sums
// are not taken up from y; gives the first output that is left otherwise, or in a row that is narrower than a tile.
template <class F>
inline int64_t depthwise_tiles(const DepthwiseRow& t, int pixels, const F& f) {
  const auto& s = t.s;
  const int64_t width = s.output[2], reach = int64_t(s.kernel[2] - 1) * s.dilations[2];
  if (width < pixels) return 0;
  int64_t j = 0;
  while (j < width) {
    if (j + pixels > width) {
      if (!t.first) return j;
      j = width - pixels;
    }
    const int64_t from = j * s.strides[2] - s.pads[2], to = from + int64_t(pixels - 1) * s.strides[2] + reach;
    f(j, from < 0 || to >= s.input[2]);
    j += pixels;
  }
  return j;
}

template <int Wide, int Step>
inline int64_t depthwise_usual_row(const DepthwiseRow& t, int64_t begin, int64_t end) {
  return depthwise_tiles(t, depthwise_pixels, [&](int64_t j, bool checked) {
    if (checked) depthwise_usual_tile<Wide, Step, true>(t, j, begin, end);
    else depthwise_usual_tile<Wide, Step, false>(t, j, begin, end);
  });
}

inline void depthwise_any_row(const DepthwiseRow& t, int64_t from, int64_t begin, int64_t end) {
  if (begin == end) return;
  if (from == 0)
    from = depthwise_tiles(t, depthwise_few_pixels, [&](int64_t j, bool checked) {
      if (checked) depthwise_any_tile<depthwise_few_pixels, true>(t, j, begin, end);
      else depthwise_any_tile<depthwise_few_pixels, false>(t, j, begin, end);
    });
  for (int64_t j = from; j < t.s.output[2]; j++) depthwise_any_tile<1, true>(t, j, begin, end);
}

inline void depthwise_row(const DepthwiseRow& t, int64_t begin, int64_t end) {
  const auto& s = t.s;
  const int wide = s.kernel[2], step = s.strides[2];
  // Whole vectors of channels first, then the rest of them.
  const int64_t whole = begin + (end - begin) / lanes * lanes;
  int64_t done = 0;
  if (s.multiplier == 1 && s.dilations[2] == 1) {
    if (wide == 3 && step == 1) done = depthwise_usual_row<3, 1>(t, begin, whole);
    else if (wide == 3 && step == 2) done = depthwise_usual_row<3, 2>(t, begin, whole);
    else if (wide == 5 && step == 1) done = depthwise_usual_row<5, 1>(t, begin, whole);
    else if (wide == 5 && step == 2) done = depthwise_usual_row<5, 2>(t, begin, whole);
  }
  depthwise_any_row(t, done, begin, whole);
  depthwise_any_row(t, 0, whole, end);
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
  const float lowest = s.activation == activation_relu ? 0.0f : clips ? s.alpha : -infinity;
  const float highest = s.activation == activation_clip ? s.beta : infinity;
  DepthwiseRow t = {s, c.at<const float>(s.bias), nullptr, nullptr, outputs, true, true, false, {}, {}, 0, {}};
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
      t.curved = t.last && !clips && s.activation != activation_none;
      t.lo = splat(t.last ? lowest : -infinity);
      t.hi = splat(t.last ? highest : infinity);
      depthwise_row(t, begin, end);
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
