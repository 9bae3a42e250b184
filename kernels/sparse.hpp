// Products with sparse float32 weights: y = act(x . w + bias + residual). The weights' nonzero numbers alone are kept (layout
// "parts", sparse/parts.ts, in steps of one), and each takes one broadcast and `sparse_vectors` multiply-adds
// (sparse_rows.hpp); or those of four outputs, where one of them is not zero (in steps of four, one of each output).
//
// Floor: a load for every multiply-add, two a cycle, and one for every four weights; 6 bytes of each for every block of
// rows. On Zen 3 (AVX2) the loop reaches 63 % of the rate of multiply-adds at 90 % zeros and 80 % without zeros; conflicts between
// loads from random places of the first-level cache are what is missing. Blocks of four outputs take three loads for four
// multiply-adds: 80 % at 80 % zeros, everything counted. The order of a sum is that of k for every row, however rows are cut
// into blocks: the same bits for any number of threads, and those of the dense kernel.
#pragma once
#include "gemm_output.hpp"
#include "sparse_rows.hpp"

namespace ESPALIER_ISA {

struct SparseF32 {
  typedef float Value;
  typedef float Element;
  typedef f32v Sum;
  static constexpr int width = 1, tall = 1;

  static ESPALIER_INLINE f32v spread(const float* value) { return splat(*value); }
  // Four weights are one load: those are what is scarce.
  typedef f32v Group;
  static constexpr int group = lanes >= 8 ? 4 : 1;
  static ESPALIER_INLINE f32v read(const float* values) { return load_fours(values); }
  static ESPALIER_INLINE f32v pick(f32v group, int which) { return spread_of_fours(group, which); }
  static ESPALIER_INLINE f32v add(f32v sum, const float* x, f32v weight) { return fma(weight, load(x), sum); }
};

// Weights of four outputs together.
struct SparseTallF32 {
  typedef float Value;
  typedef float Element;
  typedef f32v Sum;
  static constexpr int width = 4, tall = 4;
};

// Finishes up to four rows of some columns: in registers if that is simple and there are whole vectors of four.
inline void sparse_finish(const GemmOutput& to, const float* sums, float* line, int rows, int64_t columns) {
  int64_t j = 0;
  if (rows == 4 && to.simple()) {
    const bool bounded = to.activation != activation_none, clips = to.activation == activation_clip;
    const f32v lo = splat(clips ? to.alpha : 0.0f), hi = splat(clips ? to.beta : __builtin_inff());
    for (; j + lanes <= columns; j += lanes, sums += lanes * sparse_rows) {
      f32v t[4];
      turn_columns(sums, sparse_rows, t);
      const f32v bias = to.bias ? load(to.bias + j) : f32v{};
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) {
        const int64_t at = r * to.stride + j;
        t[r] += bias;
        if (to.residual) t[r] += load(to.residual + at);
        if (bounded) t[r] = clip(t[r], lo, hi);
        store(to.y + at, t[r]);
      }
    }
  }
  if (j == columns) return;
  sparse_turn_sums(sums, columns - j, line, sparse_columns);
  to.from(0, j).finish(line, sparse_columns, rows, columns - j);
}

inline void sparse_f32(const espalier::steps::sparse_f32& s, const Context& c) {
  SparseWindow v = sparse_window(s, c);
  v.padding = c.at<const float>(s.zeros);
  v.pixel = s.xStride;
  v.words = v.steps = s.channels;
  v.unit = 1;
  if (v.rows() == 0 || s.outputs == 0) return;
  const SparseWeight w = sparse_weight(s, c, v.taps() * s.channels);
  const SparseScratch at(c.at<uint8_t>(s.scratch) + int64_t(c.thread) * s.scratchBytes, v, w);
  const GemmOutput all{c.at<float>(s.y), s.outputs, c.at<const float>(s.bias), 0, 1, c.at<const float>(s.residual), 1, 1,
                       s.activation, s.alpha, s.beta};
  const auto finish = [&](int64_t first, int count, int64_t column, int64_t columns) {
    // Some columns at a time: their sums come once from the second-level cache.
    for (int64_t i = 0; i < columns; i += sparse_columns) {
      const int64_t some = columns - i < sparse_columns ? columns - i : sparse_columns;
      for (int r = 0; r < count; r += 4)
        sparse_finish(all.from(first + r, column + i), at.sums + i * sparse_rows + r, at.line, count - r < 4 ? count - r : 4, some);
    }
  };
  if (s.tall > 1) sparse_walk<SparseTallF32>(c, v, w, at, finish);
  else sparse_walk<SparseF32>(c, v, w, at, finish);
}

}  // namespace ESPALIER_ISA
