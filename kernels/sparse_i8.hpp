// Products with sparse 8-bit weights: sums are exact, and what becomes of them is what becomes of dense ones (sums_i8.hpp), so
// results are the same bits. Weights are kept four together along k (sparse/parts.ts, in steps of four): a step of k
// is four numbers, as they are multiplied at once by VNNI and dotprod, and as two pairs elsewhere (simd8.hpp).
//
// Floor: an operation and a load for every vector of rows and four numbers (two of each where pairs are multiplied); 6 bytes
// a quad for each block of rows.
#pragma once
#include "gemm_i8.hpp"
#include "sparse_rows.hpp"

namespace ESPALIER_ISA {

// Words of a step of k.
constexpr int64_t quad_words = 4 / dot_depth;

struct SparseI8 {
  typedef int8_t Value;
  typedef int32_t Element;
  typedef i32v Sum;
  static constexpr int width = 4, tall = 1;

  static ESPALIER_INLINE Quad spread(const int8_t* values) { return spread_quad(values); }
  typedef Quad Group;
  static constexpr int group = 1;
  static ESPALIER_INLINE Quad read(const int8_t* values) { return spread_quad(values); }
  static ESPALIER_INLINE Quad pick(const Quad& group, int) { return group; }
  static ESPALIER_INLINE i32v add(i32v sum, const float* x, const Quad& weights) {
    return dot_quad(sum, reinterpret_cast<const uint8_t*>(x), 4 * sparse_rows, weights);
  }
};

inline void sparse_i8(const espalier::steps::sparse_i8& s, const Context& c) {
  SparseWindow v = sparse_window(s, c);
  constexpr int64_t word = 4 / sizeof(activation8);  // numbers of one
  v.words = (s.channels + dot_depth - 1) / dot_depth;
  v.pixel = s.xStride / word;
  v.steps = (s.channels + 3) / 4;
  v.unit = quad_words;
  if (v.rows() == 0 || s.outputs == 0) return;
  const int32_t zero = prepared_zero(c.at<const uint8_t>(s.xZero), s.xSigned);
  uint8_t* const own = c.at<uint8_t>(s.scratch) + int64_t(c.thread) * s.scratchBytes;
  activation8* const padding = reinterpret_cast<activation8*>(own);
  for (int64_t i = 0; i < v.words * word; i++) padding[i] = activation8(zero);
  v.padding = reinterpret_cast<const float*>(own);
  const SparseWeight w = sparse_weight(s, c, v.taps() * v.steps);
  const SparseScratch at(own + (v.words * 4 + 63) / 64 * 64, v, w);
  const auto* const column_sums = reinterpret_cast<const int32_t*>(w.data + s.sumsAt);
  const Sums f = sums_of(s, c, zero);
  sparse_walk<SparseI8>(c, v, w, at, [&](int64_t first, int count, int64_t column, int64_t columns) {
    for (int64_t i = 0; i < columns; i += dot_columns) {
      const int some = int(columns - i < dot_columns ? columns - i : dot_columns);
      for (int r = 0; r < count; r += 4)
        sparse_turn_sums(at.sums + i * sparse_rows + r, some, at.line + r * dot_columns, dot_columns);
      finish_sums(f, reinterpret_cast<const int32_t*>(at.line), nullptr, column_sums + column + i, count, column + i, some,
                  first * s.outputs + column + i, s.outputs);
    }
  });
}

}  // namespace ESPALIER_ISA
