// Products with sparse float32 weights: y = act(x . w + bias + residual). The weights' nonzero numbers alone are kept (layout
// "parts", sparse/parts.ts, in steps of one), and each takes one broadcast and `sparse_vectors` multiply-adds (sparse_rows.hpp).
//
// Floor: a load for every multiply-add, so with two loads a cycle 89 % of the dense kernel's rate for every nonzero number;
// 6 bytes of each for every block of rows. The order of a sum is that of k for every row, however rows are cut into blocks:
// the same bits for any number of threads, and those of the dense kernel.
#pragma once
#include "gemm_output.hpp"
#include "sparse_rows.hpp"

namespace ESPALIER_ISA {

struct SparseF32 {
  typedef float Value;
  typedef float Element;
  typedef f32v Sum;
  static constexpr int width = 1;

  static ESPALIER_INLINE f32v spread(const float* value) { return splat(*value); }
  static ESPALIER_INLINE f32v add(f32v sum, const float* x, f32v weight) { return fma(weight, load(x), sum); }
};

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
  sparse_walk<SparseF32>(c, v, w, at, [&](int64_t first, int count, int64_t column, int64_t columns) {
    for (int r = 0; r < count; r += 4) {
      sparse_turn_sums(at.sums + r, columns, at.line, w.panel);
      all.from(first + r, column).finish(at.line, w.panel, count - r < 4 ? count - r : 4, columns);
    }
  });
}

}  // namespace ESPALIER_ISA
