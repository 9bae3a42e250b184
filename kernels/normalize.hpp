// Normalisations. Floor: memory, every operand once; a row is read again for each statistic, but from the first-level
// cache (rows of networks are a few kilobytes). Variances are those of two passes, as accurate as the reference.
#pragma once
#include "fold.hpp"
#include "generated/steps.hpp"
#include "math/exp.hpp"
#include "math/log.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

namespace normalization {

// `mode`, as in plan/steps/normalize.ts.
enum { layer, rms, l1, l2, standard };

// A row becomes (x - mean) * inverse.
struct Statistics {
  float mean;
  float inverse;
};

// From the sum of what a mode sums, over n elements.
inline float inverse_of(int mode, double total, int64_t n, float epsilon) {
  switch (mode) {
    case l1: return total == 0 ? 0 : float(1 / total);
    case l2: {
      const float norm = scalar_sqrt(float(total));
      return norm == 0 ? 0 : 1 / norm;
    }
    case standard: return float(1 / (double(scalar_sqrt(float(total / double(n)))) + double(epsilon)));
    default: return 1 / scalar_sqrt(float(total / double(n) + double(epsilon)));
  }
}

inline Statistics statistics(int mode, const float* x, int64_t n, float epsilon) {
  if (mode == l1) return {0, inverse_of(mode, fold<FoldAbsolutes>(x, n), n, epsilon)};
  const bool centred = mode == layer || mode == standard;
  const float mean = centred ? float(fold<FoldSum>(x, n) / double(n)) : 0;
  return {mean, inverse_of(mode, fold<FoldSquares>(x, n, mean), n, epsilon)};
}

// y = (x - mean) * inverse, times scale and plus bias where they are given: a vector each of n numbers.
template <bool scaled, bool shifted>
ESPALIER_INLINE void apply(const float* x, Statistics with, const float* scale, const float* bias, float* y, int64_t n) {
  const f32v mean = splat(with.mean), inverse = splat(with.inverse);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    f32v v = (load(x + i) - mean) * inverse;
    if (scaled && shifted)
      v = fma(v, load(scale + i), load(bias + i));
    else if (scaled)
      v *= load(scale + i);
    store(y + i, v);
  }
  if (i < n) {
    const int rest = int(n - i);
    f32v v = (load_part(x + i, rest) - mean) * inverse;
    if (scaled) v *= load_part(scale + i, rest);
    if (shifted) v += load_part(bias + i, rest);
    store_part(y + i, v, rest);
  }
}

// y = x * factor + offset, one pair of numbers for all.
inline void apply_one(const float* x, float mean, float factor, float offset, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, fma(load(x + i) - splat(mean), splat(factor), splat(offset)));
  for (; i < n; i++) y[i] = (x[i] - mean) * factor + offset;
}

inline void add(const float* a, const float* b, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, load(a + i) + load(b + i));
  for (; i < n; i++) y[i] = a[i] + b[i];
}

}  // namespace normalization

inline void normalize_f32(const espalier::steps::normalize_f32& s, const Context& c) {
  using namespace normalization;
  const float *x = c.at<const float>(s.x), *residual = c.at<const float>(s.residual);
  const float *scale = c.at<const float>(s.scale), *bias = c.at<const float>(s.bias);
  float *y = c.at<float>(s.y), *sum = c.at<float>(s.sum), *means = c.at<float>(s.mean), *inverses = c.at<float>(s.inverse);
  const int64_t n = s.length, groups = s.inner > 0 ? n / s.inner : 0;
  const Range mine = c.share(s.rows);
  for (int64_t row = mine.begin; row < mine.end; row++) {
    const float* from = x + row * n;
    float* to = y + row * n;
    if (residual || sum) {
      float* both = sum ? sum + row * n : to;
      if (residual)
        add(from, residual + row * n, both, n);
      else
        __builtin_memcpy(both, from, size_t(n) * sizeof(float));
      from = both;
    }
    const Statistics with = statistics(s.mode, from, n, s.epsilon);
    if (means) means[row] = with.mean;
    if (inverses) inverses[row] = with.inverse;
    const int64_t first = row % s.period * groups;
    if (!scale && !bias) {
      apply<false, false>(from, with, nullptr, nullptr, to, n);
    } else if (s.inner == 1 && scale) {
      if (bias)
        apply<true, true>(from, with, scale + first, bias + first, to, n);
      else
        apply<true, false>(from, with, scale + first, nullptr, to, n);
    } else {
      for (int64_t g = 0; g < groups; g++) {
        const float factor = with.inverse * (scale ? scale[first + g] : 1);
        apply_one(from + g * s.inner, with.mean, factor, bias ? bias[first + g] : 0, to + g * s.inner, s.inner);
      }
    }
  }
}

// A vector of neighbouring columns at a time: three passes down the axis.
inline void normalize_columns_f32(const espalier::steps::normalize_columns_f32& s, const Context& c) {
  using namespace normalization;
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  const int64_t length = s.length, inner = s.inner, blocks = (inner + lanes - 1) / lanes;
  const bool centred = s.mode == layer || s.mode == standard;
  const Range mine = c.share(int64_t(s.outer) * blocks, 4);
  for (int64_t unit = mine.begin; unit < mine.end; unit++) {
    const int64_t first = unit % blocks * lanes, start = unit / blocks * length * inner + first;
    const int width = int(inner - first < lanes ? inner - first : lanes);
    double totals[lanes] = {}, squares[lanes] = {};
    float means[lanes] = {}, inverses[lanes] = {};
    if (centred) {
      for (int64_t i = 0; i < length; i++)
        for (int lane = 0; lane < width; lane++) totals[lane] += double(x[start + i * inner + lane]);
      for (int lane = 0; lane < width; lane++) means[lane] = float(totals[lane] / double(length));
    }
    for (int64_t i = 0; i < length; i++) {
      for (int lane = 0; lane < width; lane++) {
        const double d = double(x[start + i * inner + lane]) - double(means[lane]);
        squares[lane] += s.mode == l1 ? __builtin_fabs(d) : d * d;
      }
    }
    for (int lane = 0; lane < width; lane++) inverses[lane] = inverse_of(s.mode, squares[lane], length, s.epsilon);
    const f32v mean = load(means), inverse = load(inverses);
    for (int64_t i = 0; i < length; i++) {
      const int64_t at = start + i * inner;
      store_part(y + at, (load_part(x + at, width) - mean) * inverse, width);
    }
  }
}

// Sums of squares over neighbouring channels are made anew for each channel: windows are short (5, say). The power is
// exp(-beta log(.)), its argument of the order of 1.
inline void lrn_f32(const espalier::steps::lrn_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  const int64_t channels = s.channels, inner = s.inner, before = (s.size - 1) / 2, after = s.size / 2;
  const f32v factor = splat(s.alpha / float(s.size)), bias = splat(s.bias), power = splat(-s.beta);
  const Range mine = c.share(int64_t(s.batch) * channels);
  for (int64_t line = mine.begin; line < mine.end; line++) {
    const int64_t channel = line % channels, image = line - channel;
    const int64_t first = channel > before ? channel - before : 0;
    const int64_t last = channel + after < channels - 1 ? channel + after : channels - 1;
    for (int64_t i = 0; i < inner; i += lanes) {
      const int width = int(inner - i < lanes ? inner - i : lanes);
      f32v squares{};
      for (int64_t other = first; other <= last; other++) {
        const f32v v = load_part(x + (image + other) * inner + i, width);
        squares = fma(v, v, squares);
      }
      const int64_t at = line * inner + i;
      store_part(y + at, load_part(x + at, width) * exp(power * log(fma(factor, squares, bias))), width);
    }
  }
}

}  // namespace ESPALIER_ISA
