// Reductions over axes. Floor: every element read once. Where there are few outputs, the elements of each are split into
// parts by a number that depends on sizes alone (plan/steps/reduce.ts), and the parts are combined in order: the same
// bits for any number of threads.
#pragma once
#include "fold.hpp"
#include "generated/steps.hpp"
#include "math/log.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

namespace reduction {

// `operation`, as in plan/steps/reduce.ts.
enum { sum, mean, l1, l2, sum_square, log_sum, largest, smallest, product, log_sum_exp };

// The axes of one kind, kept or reduced, of a row-major tensor.
struct Axes {
  int count = 0;
  int64_t extents[8];
  int64_t strides[8];
  int64_t total = 1;

  void prepend(int64_t extent, int64_t stride) {
    for (int i = count; i > 0; i--) extents[i] = extents[i - 1], strides[i] = strides[i - 1];
    extents[0] = extent, strides[0] = stride;
    total *= extent;
    count++;
  }
  // Where element `index`, counted in row-major order, begins.
  int64_t offset(int64_t index) const {
    int64_t at = 0;
    for (int i = count - 1; i > 0; i--) {
      at += index % extents[i] * strides[i];
      index /= extents[i];
    }
    return count > 0 ? at + index * strides[0] : 0;
  }
};

// Axes without the innermost one, which is a run of `run` neighbours.
struct View {
  Axes kept, reduced;
  int64_t run = 1;
  bool run_reduced = false;
};

template <class Step>
View view(const Step& s) {
  View v;
  int64_t stride = 1;
  for (int i = s.rank - 1; i >= 0; i--) {
    const bool reduced = (i % 2 == 0) == (s.firstReduced != 0);
    if (i == s.rank - 1)
      v.run = s.shape[i], v.run_reduced = reduced;
    else
      (reduced ? v.reduced : v.kept).prepend(s.shape[i], stride);
    stride *= s.shape[i];
  }
  return v;
}

// What is known of a part of an output: the fold, and what a sum of exponentials is relative to.
struct Partial {
  double value;
  double about;
};

inline float finish(int operation, double value, int64_t count) {
  switch (operation) {
    case mean: return float(value / double(count));
    case l2: return scalar_sqrt(float(value));
    case log_sum: return log(splat(float(value)))[0];
    default: return float(value);
  }
}

inline bool is_finite(double x) { return x - x == 0; }

inline float finish_exponentials(Partial p) {
  return is_finite(p.about) ? float(p.about + double(log(splat(float(p.value)))[0])) : float(p.about);
}

inline Partial join_exponentials(Partial a, Partial b) {
  if (!is_finite(a.about)) return a.about != a.about || a.about > b.about ? a : b;
  if (!is_finite(b.about)) return b.about != b.about || b.about > a.about ? b : a;
  const double about = a.about > b.about ? a.about : b.about;
  const float of_a = exp(splat(float(a.about - about)))[0], of_b = exp(splat(float(b.about - about)))[0];
  return {a.value * of_a + b.value * of_b, about};
}

// Elements [begin, end) of an output whose runs are reduced.
template <class F>
double fold_runs(const View& v, const float* x, int64_t begin, int64_t end, float about) {
  double total = F::neutral;
  while (begin < end) {
    const int64_t row = begin / v.run, column = begin % v.run;
    const int64_t n = v.run - column < end - begin ? v.run - column : end - begin;
    total = F::merge(total, fold<F>(x + v.reduced.offset(row) + column, n, about));
    begin += n;
  }
  return total;
}

constexpr int column_block = 512;
constexpr int row_chunk = 64;

// Rows [begin, end) of `columns` outputs side by side: totals[i] folds x[row][i], relative to about[i]. Accumulators live
// in the first-level cache, four rows at a time pass over them.
template <class F, bool relative>
__attribute__((noinline)) void fold_columns(const View& v, const float* x, int64_t begin, int64_t end, int columns, const float* about,
                  double* totals) {
  alignas(64) float sums[column_block];
  for (int i = 0; i < columns; i++) totals[i] = F::neutral;
  for (int64_t row = begin; row < end; row += row_chunk) {
    const int64_t last = row + row_chunk < end ? row + row_chunk : end;
    for (int i = 0; i < columns; i++) sums[i] = F::neutral;
    int64_t r = row;
    for (; r + 4 <= last; r += 4) {
      const float *a = x + v.reduced.offset(r), *b = x + v.reduced.offset(r + 1), *c = x + v.reduced.offset(r + 2),
                  *d = x + v.reduced.offset(r + 3);
      int i = 0;
      for (; i + lanes <= columns; i += lanes) {
        const f32v by = relative ? load(about + i) : f32v{};
        f32v s = F::add(F::add(load(sums + i), load(a + i), by), load(b + i), by);
        store(sums + i, F::add(F::add(s, load(c + i), by), load(d + i), by));
      }
      if (const int rest = columns - i) {
        const f32v by = relative ? load_part(about + i, rest) : f32v{};
        f32v s = F::add(load_part(sums + i, rest), load_part(a + i, rest), by);
        s = F::add(F::add(s, load_part(b + i, rest), by), load_part(c + i, rest), by);
        store_part(sums + i, F::add(s, load_part(d + i, rest), by), rest);
      }
    }
    for (; r < last; r++) {
      const float* a = x + v.reduced.offset(r);
      for (int i = 0; i < columns; i += lanes) {
        const int rest = columns - i < lanes ? columns - i : lanes;
        const f32v by = relative ? load_part(about + i, rest) : f32v{};
        store_part(sums + i, F::add(load_part(sums + i, rest), load_part(a + i, rest), by), rest);
      }
    }
    for (int i = 0; i < columns; i++) totals[i] = F::merge(totals[i], sums[i]);
  }
}

// Every output, or every part of one: folds, then writes it to y or to its place among the partials.
template <class F>
void run(const espalier::steps::reduce_f32& s, const Context& c, const View& v) {
  const float* x = c.at<const float>(s.x);
  float* y = c.at<float>(s.y);
  auto* partials = c.at<Partial>(s.partials);
  constexpr bool exponentials = F::of_exponentials;
  const int64_t splits = s.splits, count = v.reduced.total * (v.run_reduced ? v.run : 1);
  auto put = [&](int64_t output, int64_t part, Partial p) {
    if (splits > 1)
      partials[output * splits + part] = p;
    else
      y[output] = exponentials ? finish_exponentials(p) : finish(s.operation, p.value, count);
  };
  if (v.run_reduced) {
    const Range mine = c.share(v.kept.total * splits);
    for (int64_t unit = mine.begin; unit < mine.end; unit++) {
      const int64_t part = unit % splits;
      const float* from = x + v.kept.offset(unit / splits);
      const int64_t begin = count * part / splits, end = count * (part + 1) / splits;
      Partial p{0, 0};
      if constexpr (exponentials) p.about = fold_runs<FoldMax>(v, from, begin, end, 0);
      if (!exponentials || is_finite(p.about)) p.value = fold_runs<F>(v, from, begin, end, float(p.about));
      put(unit / splits, part, p);
    }
  } else {
    const int64_t blocks = (v.run + column_block - 1) / column_block;
    const Range mine = c.share(v.kept.total * blocks * splits);
    for (int64_t unit = mine.begin; unit < mine.end; unit++) {
      const int64_t part = unit % splits, block = unit / splits % blocks, outer = unit / splits / blocks;
      const int64_t first = block * column_block;
      const int columns = int(v.run - first < column_block ? v.run - first : column_block);
      const float* from = x + v.kept.offset(outer) + first;
      const int64_t begin = count * part / splits, end = count * (part + 1) / splits;
      double totals[column_block];
      [[maybe_unused]] float about[column_block];
      if constexpr (exponentials) {
        fold_columns<FoldMax, false>(v, from, begin, end, columns, nullptr, totals);
        for (int i = 0; i < columns; i++) about[i] = float(totals[i]);
        fold_columns<F, true>(v, from, begin, end, columns, about, totals);
      } else {
        fold_columns<F, false>(v, from, begin, end, columns, nullptr, totals);
      }
      for (int i = 0; i < columns; i++) {
        Partial p{totals[i], 0};
        if constexpr (exponentials) p.about = about[i];
        put(outer * v.run + first + i, part, p);
      }
    }
  }
  if (splits == 1) return;
  c.barrier();
  const Range mine = c.share(v.kept.total * (v.run_reduced ? 1 : v.run), 16);
  for (int64_t output = mine.begin; output < mine.end; output++) {
    Partial p = partials[output * splits];
    for (int64_t part = 1; part < splits; part++) {
      const Partial next = partials[output * splits + part];
      if constexpr (exponentials)
        p = join_exponentials(p, next);
      else
        p.value = F::merge(p.value, next.value);
    }
    y[output] = exponentials ? finish_exponentials(p) : finish(s.operation, p.value, count);
  }
}

// Integers: exact in 64 bits, wrapping; the extrema of none are those of the type.
template <class T>
int64_t fold_integers(const View& v, const T* x, int64_t rows, int64_t run, int operation) {
  constexpr bool is_signed = T(-1) < T(0);
  constexpr int bits = sizeof(T) * 8;
  constexpr int64_t greatest = is_signed ? int64_t(~uint64_t(0) >> (65 - bits)) : int64_t((uint64_t(1) << (bits & 63)) - 1);
  constexpr int64_t least = is_signed ? -greatest - 1 : 0;
  uint64_t total = operation == product ? 1 : 0;
  int64_t most = least, fewest = greatest;
  for (int64_t row = 0; row < rows; row++) {
    const T* from = x + v.reduced.offset(row);
    for (int64_t i = 0; i < run; i++) {
      const int64_t value = int64_t(from[i]);
      switch (operation) {
        case largest: most = value > most ? value : most; break;
        case smallest: fewest = value < fewest ? value : fewest; break;
        case product: total *= uint64_t(value); break;
        case l1: total += value < 0 ? -uint64_t(value) : uint64_t(value); break;
        case sum_square: total += uint64_t(value) * uint64_t(value); break;
        default: total += uint64_t(value);
      }
    }
  }
  if (operation == largest) return most;
  if (operation == smallest) return fewest;
  if (operation == mean) return rows * run == 0 ? 0 : int64_t(total) / (rows * run);
  return int64_t(total);
}

template <class T>
void run_integers(const espalier::steps::reduce_integer& s, const Context& c) {
  const View v = view(s);
  const T* x = c.at<const T>(s.x);
  T* y = c.at<T>(s.y);
  const int64_t kept_run = v.run_reduced ? 1 : v.run;
  const Range mine = c.share(v.kept.total * kept_run, 16);
  for (int64_t output = mine.begin; output < mine.end; output++) {
    const T* from = x + v.kept.offset(output / kept_run) + output % kept_run;
    y[output] = T(fold_integers(v, from, v.reduced.total, v.run_reduced ? v.run : 1, s.operation));
  }
}

}  // namespace reduction

inline void reduce_f32(const espalier::steps::reduce_f32& s, const Context& c) {
  const reduction::View v = reduction::view(s);
  switch (s.operation) {
    case reduction::l1: return reduction::run<FoldAbsolutes>(s, c, v);
    case reduction::l2:
    case reduction::sum_square: return reduction::run<FoldSquares>(s, c, v);
    case reduction::largest: return reduction::run<FoldMax>(s, c, v);
    case reduction::smallest: return reduction::run<FoldMin>(s, c, v);
    case reduction::product: return reduction::run<FoldProduct>(s, c, v);
    case reduction::log_sum_exp: return reduction::run<FoldExponentials>(s, c, v);
    default: return reduction::run<FoldSum>(s, c, v);
  }
}

inline void reduce_integer(const espalier::steps::reduce_integer& s, const Context& c) {
  switch (s.size) {
    case 1: return s.isSigned ? reduction::run_integers<int8_t>(s, c) : reduction::run_integers<uint8_t>(s, c);
    case 4: return reduction::run_integers<int32_t>(s, c);
    case 8: return reduction::run_integers<int64_t>(s, c);
  }
}

}  // namespace ESPALIER_ISA
