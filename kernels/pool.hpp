// Pools of float32, channels last: vectors run along the channels.
//
// Floor: bytes of input and output, each once. Windows that overlap are read again from the first-level cache.
#pragma once
#include "core/simd.hpp"
#include "generated/steps.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// The larger of both, and NaN where either is.
ESPALIER_INLINE f32v pool_max(f32v a, f32v b) { return select(a != a, a, max(a, b)); }

struct PoolMax {
  static ESPALIER_INLINE f32v start() { return splat(-__builtin_inff()); }
  static ESPALIER_INLINE f32v add(f32v a, f32v b) { return pool_max(a, b); }
};
struct PoolSum {
  static ESPALIER_INLINE f32v start() { return f32v{}; }
  static ESPALIER_INLINE f32v add(f32v a, f32v b) { return a + b; }
};

// Taps from..to of a window along one axis that lie in the input, and how many lie in what counts for an average.
struct PoolTaps {
  int64_t start, from, to, counted;
};

inline PoolTaps pool_taps(int64_t o, int64_t input, int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                          int64_t after, bool padding) {
  const int64_t start = o * stride - before;
  // The first tap at or beyond a place.
  auto first = [&](int64_t place) {
    const int64_t t = place <= start ? 0 : (place - start + dilation - 1) / dilation;
    return t < kernel ? t : kernel;
  };
  const int64_t from = first(0), to = first(input);
  return {start, from, to, padding ? first(input + after) - first(-before) : to - from};
}

template <class Kind, int Vectors>
ESPALIER_INLINE void pool_window(const espalier::steps::pool_f32& s, const float* x, float* y, const PoolTaps& d,
                                 const PoolTaps& h, const PoolTaps& w, f32v count, int n) {
  f32v r[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; v++) r[v] = Kind::start();
  for (int64_t a = d.from; a < d.to; a++)
    for (int64_t b = h.from; b < h.to; b++) {
      const int64_t line = (d.start + a * s.dilations[0]) * s.input[1] + h.start + b * s.dilations[1];
      const float* from = x + (line * s.input[2] + w.start + w.from * s.dilations[2]) * s.channels;
      for (int64_t k = w.from; k < w.to; k++, from += int64_t(s.dilations[2]) * s.channels) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; v++)
          r[v] = Kind::add(r[v], n == lanes ? load(from + v * lanes) : load_part(from + v * lanes, n));
      }
    }
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; v++) {
    if (s.mode == 1) r[v] = r[v] / count;
    if (n == lanes) store(y + v * lanes, r[v]);
    else store_part(y + v * lanes, r[v], n);
  }
}

template <class Kind>
inline void pool_rows(const espalier::steps::pool_f32& s, const Context& c) {
  const int64_t planes = s.output[0], rows = s.output[1], width = s.output[2], channels = s.channels;
  const int64_t sample = int64_t(s.input[0]) * s.input[1] * s.input[2] * channels;
  const bool padding = s.countPadding;
  auto taps = [&](int axis, int64_t o) {
    return pool_taps(o, s.input[axis], s.kernel[axis], s.strides[axis], s.dilations[axis], s.pads[axis], s.padsEnd[axis],
                     padding);
  };
  const Range mine = c.share(s.batch * planes * rows);
  for (int64_t job = mine.begin; job < mine.end; job++) {
    const PoolTaps h = taps(1, job % rows), d = taps(0, job / rows % planes);
    const float* x = c.at<const float>(s.x) + job / rows / planes * sample;
    float* y = c.at<float>(s.y) + job * width * channels;
    for (int64_t j = 0; j < width; j++, y += channels) {
      const PoolTaps w = taps(2, j);
      const f32v count = splat(float(d.counted * h.counted * w.counted));
      int64_t k = 0;
      for (; k + 4 * lanes <= channels; k += 4 * lanes) pool_window<Kind, 4>(s, x + k, y + k, d, h, w, count, lanes);
      for (; k < channels; k += lanes)
        pool_window<Kind, 1>(s, x + k, y + k, d, h, w, count, channels - k < lanes ? int(channels - k) : lanes);
    }
  }
}

inline void pool_f32(const espalier::steps::pool_f32& s, const Context& c) {
  if (s.channels == 0 || s.output[2] == 0) return;
  if (s.mode == 0) pool_rows<PoolMax>(s, c);
  else pool_rows<PoolSum>(s, c);
}

// Bytes, one tap after the other: the loop over channels is a vector loop of the compiler's.
template <class T>
inline void pool_bytes(const espalier::steps::max_pool_i8& s, const Context& c) {
  const int64_t planes = s.output[0], rows = s.output[1], width = s.output[2], channels = s.channels;
  const int64_t sample = int64_t(s.input[0]) * s.input[1] * s.input[2] * channels;
  auto taps = [&](int axis, int64_t o) {
    return pool_taps(o, s.input[axis], s.kernel[axis], s.strides[axis], s.dilations[axis], s.pads[axis], 0, false);
  };
  const Range mine = c.share(s.batch * planes * rows);
  for (int64_t job = mine.begin; job < mine.end; job++) {
    const PoolTaps h = taps(1, job % rows), d = taps(0, job / rows % planes);
    const T* x = c.at<const T>(s.x) + job / rows / planes * sample;
    T* y = c.at<T>(s.y) + job * width * channels;
    for (int64_t j = 0; j < width; j++, y += channels) {
      const PoolTaps w = taps(2, j);
      for (int64_t k = 0; k < channels; k++) y[k] = T(T(-1) < T(0) ? -128 : 0);
      for (int64_t a = d.from; a < d.to; a++)
        for (int64_t b = h.from; b < h.to; b++) {
          const int64_t line = (d.start + a * s.dilations[0]) * s.input[1] + h.start + b * s.dilations[1];
          const T* from = x + (line * s.input[2] + w.start + w.from * s.dilations[2]) * channels;
          for (int64_t t = w.from; t < w.to; t++, from += s.dilations[2] * channels)
            for (int64_t k = 0; k < channels; k++) y[k] = from[k] > y[k] ? from[k] : y[k];
        }
    }
  }
}

inline void max_pool_i8(const espalier::steps::max_pool_i8& s, const Context& c) {
  if (s.isSigned) pool_bytes<int8_t>(s, c);
  else pool_bytes<uint8_t>(s, c);
}

// Combines `count` vectors of channels from..to that lie `channels` apart.
template <class Kind>
inline void pool_fold(const float* x, float* y, int64_t count, int64_t channels, int64_t from, int64_t to, f32v divisor) {
  int64_t k = from;
  constexpr int wide = 4 * lanes;
  for (; k + wide <= to; k += wide) {
    f32v r[4] = {Kind::start(), Kind::start(), Kind::start(), Kind::start()};
    const float* at = x + k;
    for (int64_t p = 0; p < count; p++, at += channels) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; v++) r[v] = Kind::add(r[v], load(at + v * lanes));
    }
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) store(y + k + v * lanes, r[v] / divisor);
  }
  for (; k < to; k += lanes) {
    const int n = to - k < lanes ? int(to - k) : lanes;
    f32v r = Kind::start();
    for (int64_t p = 0; p < count; p++) r = Kind::add(r, load_part(x + p * channels + k, n));
    store_part(y + k, r / divisor, n);
  }
}

template <class Kind>
inline void global_pool(const espalier::steps::global_pool_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  const int64_t channels = s.channels, pixels = s.pixels, pieces = s.pieces;
  const f32v one = splat(1.0f), divisor = splat(s.mode == 1 ? float(pixels) : 1.0f);
  // Channels are shared out in whole cache lines.
  constexpr int64_t wide = 4 * lanes;
  const int64_t blocks = (channels + wide - 1) / wide;
  auto each = [&](int64_t lists, const auto& fold) {
    const Range mine = c.share(lists * blocks);
    for (int64_t job = mine.begin; job < mine.end; job++) {
      const int64_t from = job % blocks * wide, to = from + wide;
      fold(job / blocks, from, to < channels ? to : channels);
    }
  };
  if (pieces == 1) {
    each(s.batch, [&](int64_t n, int64_t from, int64_t to) {
      pool_fold<Kind>(x + n * pixels * channels, y + n * channels, pixels, channels, from, to, divisor);
    });
    return;
  }
  float* parts = c.at<float>(s.scratch);
  each(s.batch * pieces, [&](int64_t list, int64_t from, int64_t to) {
    const int64_t n = list / pieces, piece = list % pieces;
    const int64_t begin = pixels * piece / pieces, end = pixels * (piece + 1) / pieces;
    pool_fold<Kind>(x + (n * pixels + begin) * channels, parts + list * channels, end - begin, channels, from, to, one);
  });
  c.barrier();
  each(s.batch, [&](int64_t n, int64_t from, int64_t to) {
    pool_fold<Kind>(parts + n * pieces * channels, y + n * channels, pieces, channels, from, to, divisor);
  });
}

inline void global_pool_f32(const espalier::steps::global_pool_f32& s, const Context& c) {
  if (s.mode == 0) global_pool<PoolMax>(s, c);
  else global_pool<PoolSum>(s, c);
}

}  // namespace ESPALIER_ISA
