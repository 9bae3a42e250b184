// Products of few rows with sparse 8-bit weights, of which four along k are a word (bitmask.hpp). Sums are exact and become
// what those of dense weights become (sums_i8.hpp), so results are the same bits.
#pragma once
#include "bitmask.hpp"
#include "gemm_i8.hpp"

namespace ESPALIER_ISA {

// A word of four numbers, and the activations that it meets.
struct BitmaskI8 {
  typedef activation8 Activation;
  typedef int32_t Element;
  typedef i32v Sum;
  static constexpr int step = 4;
  static constexpr int64_t line = dot_columns;  // as finish_sums reads them
#if defined(ESPALIER_DOT4)
  struct Words {
    i8v all;
    explicit ESPALIER_INLINE Words(i32v v) : all((i8v)v) {}
  };
  struct Activations {
    i32v all;
    explicit ESPALIER_INLINE Activations(const activation8* x) : all(broadcast(x)) {}
  };
  static ESPALIER_INLINE i32v add(i32v sum, const Activations& x, const Words& w) { return dot4(sum, x.all, w.all); }
#else
  // The second and third number of a word are exchanged: every other byte is a pair.
  struct Words {
    i16v first, second;
    explicit ESPALIER_INLINE Words(i32v v) : first((i16v)v << 8 >> 8), second((i16v)v >> 8) {}
  };
  struct Activations {
    i16v first, second;
    explicit ESPALIER_INLINE Activations(const activation8* x) : first((i16v)broadcast(x)), second((i16v)broadcast(x + 2)) {}
  };
  static ESPALIER_INLINE i32v add(i32v sum, const Activations& x, const Words& w) {
    return dot2(dot2(sum, x.first, w.first), x.second, w.second);
  }
#endif
};

inline void bitmask_i8(const espalier::steps::bitmask_i8& s, const Context& c) {
  const auto* const column_sums = reinterpret_cast<const int32_t*>(c.at<const uint8_t>(s.w) + s.sumsAt);
  const Sums f = sums_of(s, c, prepared_zero(c.at<const uint8_t>(s.xZero), s.xSigned));
  bitmask_walk<BitmaskI8>(s, c, s.k / 4, [&](const int32_t* sums, int64_t row, int rows, int64_t column, int columns) {
    finish_sums(f, sums, nullptr, column_sums + column, rows, column, columns, row * s.n + column, s.n);
  });
}

}  // namespace ESPALIER_ISA
