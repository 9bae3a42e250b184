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

struct SparsePartF32 {
  const uint16_t *directory, *directory_end;
  const uint16_t* places;
  const float* values;
};

template <int Vectors>
__attribute__((noinline)) void sparse_multiply_f32(const SparsePartF32& part, const float* turned, float* sums) {
  const uint16_t* place = part.places;
  const float* value = part.values;
  for (const uint16_t* entry = part.directory; entry < part.directory_end; entry += 2) {
    float* const own = sums + entry[0] * sparse_rows;
    f32v s[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) s[v] = load(own + v * lanes);
    const uint16_t* const end = place + entry[1];
    do {
      const f32v w = splat(*value++);
      const float* x = turned + *place++;
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; v++) s[v] = fma(w, load(x + v * lanes), s[v]);
    } while (place < end);
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) store(own + v * lanes, s[v]);
  }
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
  const auto* const values = reinterpret_cast<const float*>(w.data + w.values_at);
  const GemmOutput all{c.at<float>(s.y), s.outputs, c.at<const float>(s.bias), 0, 1, c.at<const float>(s.residual), 1, 1,
                       s.activation, s.alpha, s.beta};
  constexpr decltype(&sparse_multiply_f32<1>) multiply[] = {
      sparse_multiply_f32<1>, sparse_multiply_f32<2>, sparse_multiply_f32<3>, sparse_multiply_f32<4>,
      sparse_multiply_f32<5>, sparse_multiply_f32<6>, sparse_multiply_f32<7>, sparse_multiply_f32<8>};
  sparse_walk(
      c, v, w, at,
      [&](int vectors, const uint32_t* start) {
        const SparsePartF32 part{w.directory() + 2 * start[0], w.directory() + 2 * start[2], w.places() + start[1], values + start[1]};
        multiply[vectors - 1](part, at.turned, at.sums);
      },
      [&](int64_t first, int count, int64_t column, int64_t columns) {
        for (int r = 0; r < count; r += 4) {
          sparse_turn_sums(at.sums + r, columns, at.line, w.panel);
          all.from(first + r, column).finish(at.line, w.panel, count - r < 4 ? count - r : 4, columns);
        }
      });
}

}  // namespace ESPALIER_ISA
