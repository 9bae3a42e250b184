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

struct SparsePartI8 {
  const uint16_t *directory, *directory_end;
  const uint16_t* places;
  const int8_t* values;
};

template <int Vectors>
__attribute__((noinline)) void sparse_multiply_i8(const SparsePartI8& part, const float* turned, float* sums) {
  const uint16_t* place = part.places;
  const int8_t* value = part.values;
  for (const uint16_t* entry = part.directory; entry < part.directory_end; entry += 2) {
    int32_t* const own = reinterpret_cast<int32_t*>(sums + entry[0] * sparse_rows);
    i32v s[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) s[v] = load(own + v * lanes);
    const uint16_t* const end = place + entry[1];
    do {
      const void* x = turned + *place++;
      const Quad w = spread_quad(value);
      value += 4;
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; v++) s[v] = dot_quad(s[v], static_cast<const uint8_t*>(x) + v * vector_bytes, 4 * sparse_rows, w);
    } while (place < end);
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; v++) store(own + v * lanes, s[v]);
  }
}

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
  const auto* const values = reinterpret_cast<const int8_t*>(w.data + w.values_at);
  const auto* const column_sums = reinterpret_cast<const int32_t*>(w.data + s.sumsAt);
  const Sums f = sums_of(s, c, zero);
  constexpr decltype(&sparse_multiply_i8<1>) multiply[] = {
      sparse_multiply_i8<1>, sparse_multiply_i8<2>, sparse_multiply_i8<3>, sparse_multiply_i8<4>,
      sparse_multiply_i8<5>, sparse_multiply_i8<6>, sparse_multiply_i8<7>, sparse_multiply_i8<8>};
  sparse_walk(
      c, v, w, at,
      [&](int vectors, const uint32_t* start) {
        const SparsePartI8 part{w.directory() + 2 * start[0], w.directory() + 2 * start[2], w.places() + start[1],
                                values + 4 * int64_t(start[1])};
        multiply[vectors - 1](part, at.turned, at.sums);
      },
      [&](int64_t first, int count, int64_t column, int64_t columns) {
        for (int r = 0; r < count; r += 4)
          for (int64_t i = 0; i < columns; i += dot_columns) {
            const int some = int(columns - i < dot_columns ? columns - i : dot_columns);
            sparse_turn_sums(at.sums + i * sparse_rows + r, some, at.line, dot_columns);
            finish_sums(f, reinterpret_cast<const int32_t*>(at.line), nullptr, column_sums + column + i,
                        count - r < 4 ? count - r : 4, column + i, some, (first + r) * s.outputs + column + i, s.outputs);
          }
      });
}

}  // namespace ESPALIER_ISA
