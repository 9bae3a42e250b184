// Products of few rows with 8-bit weights of which at most one or two of every four along k are not zero (1:4 and 2:4,
// sparse/of-four.ts). A word holds four numbers that may be other than zero, of 16 or 8 places of k, and a byte says which:
// two bits for each. The activations of those places are the same for all columns: a shuffle picks for every column those
// that its numbers meet. Sums are exact, so results are the bits of the dense kernel.
//
// Floor: 5 bytes for 16 or 8 weights, where dense ones take a byte each. Where pairs are multiplied, some 24 operations for
// a vector of words and a row, of which 14 are making the places from the byte, which rows share.
#pragma once
#include "bitmask_i8.hpp"

namespace ESPALIER_ISA {

// 8 or 16 bytes from memory, for shuffles within every 16.
template <int Bytes>
ESPALIER_INLINE i8v load_places(const void* p) {
  typedef int64_t Pair __attribute__((vector_size(16)));
  Pair v{};
  if constexpr (Bytes == 16) {
    __builtin_memcpy(&v, p, 16);
  } else {
    int64_t eight;
    __builtin_memcpy(&eight, p, 8);
    v[0] = eight;
  }
#if defined(__AVX512F__)
  return (i8v)_mm512_broadcast_i32x4((__m128i)v);
#elif defined(__AVX2__)
  return (i8v)_mm256_broadcastsi128_si256((__m128i)v);
#else
  return (i8v)v;
#endif
}

// from[at[i]] for every byte, `at` below 16.
ESPALIER_INLINE i8v pick_bytes(i8v from, i32v at) {
#if defined(__AVX512F__)
  return (i8v)_mm512_shuffle_epi8((__m512i)from, (__m512i)at);
#elif defined(__AVX2__)
  return (i8v)_mm256_shuffle_epi8((__m256i)from, (__m256i)at);
#elif defined(__aarch64__)
  return (i8v)vqtbl1q_s8((int8x16_t)from, (uint8x16_t)at);
#else
  return (i8v)wasm_i8x16_swizzle((v128_t)from, (v128_t)at);
#endif
}

// Kept of every four numbers; a word spans Span places of k.
template <int Kept>
struct SomeOfFour {
  static constexpr int span = 16 / Kept;
#if defined(ESPALIER_DOT4)
  struct Places {
    i32v all;
    // Two bits into each byte, then the first of the four that they are of.
    explicit ESPALIER_INLINE Places(i32v v) {
      v = (v | v << 12) & splat(int32_t(0x000f000f));
      v = (v | v << 6) & splat(int32_t(0x03030303));
      all = v + splat(int32_t(Kept == 2 ? 0x04040000 : 0x0c080400));
    }
  };
  struct Activations {
    i8v all;
    explicit ESPALIER_INLINE Activations(const activation8* x) : all(load_places<span>(x)) {}
  };
  static ESPALIER_INLINE i32v add(i32v sum, const Activations& x, const Places& at, const BitmaskI8::Words& w) {
    return dot4(sum, (i32v)pick_bytes(x.all, at.all), w.all);
  }
#else
  struct Places {
    i32v first, second;
    // A place into each half of a word, twice in it: as bytes, of which the second is that of the first and 1.
    static ESPALIER_INLINE i32v pair(i32v v, int32_t base) {
      const i16v twice = (i16v)((v | v << 14) & splat(int32_t(0x00030003))) * (i16v)splat(int32_t(0x02020202));
      return (i32v)twice + splat(base);
    }
    explicit ESPALIER_INLINE Places(i32v v)
        : first(pair(v, Kept == 2 ? 0x01000100 : 0x09080100)),
          second(pair((i32v)((u32v)v >> 4), Kept == 2 ? 0x09080908 : 0x09080100)) {}
  };
  struct Activations {
    i8v first, second;
    explicit ESPALIER_INLINE Activations(const activation8* x)
        : first(load_places<16>(x)), second(Kept == 2 ? first : load_places<16>(x + 8)) {}
  };
  static ESPALIER_INLINE i32v add(i32v sum, const Activations& x, const Places& at, const BitmaskI8::Words& w) {
    return dot2(dot2(sum, (i16v)pick_bytes(x.first, at.first), w.first), (i16v)pick_bytes(x.second, at.second), w.second);
  }
#endif
};

ESPALIER_INLINE i32v load_words(const uint8_t* p) { return load(reinterpret_cast<const int32_t*>(p)); }

// Rows of activations by one panel: sums[Rows][BitmaskI8::line].
template <class Kind, int Rows>
__attribute__((noinline)) void some_of_four_tile(const activation8* x, int64_t stride, int64_t steps, const uint8_t* words,
                                                 const uint8_t* places, int32_t* sums) {
  i32v low[Rows], high[Rows];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; r++) low[r] = high[r] = i32v{};
  for (int64_t i = 0; i < steps; i++, words += 4 * bitmask_columns, places += bitmask_columns) {
    const auto multiply = [&](i32v (&sum)[Rows], int64_t column) __attribute__((always_inline)) {
      const BitmaskI8::Words w(load_words(words + 4 * column));
      const typename Kind::Places at(to_i32(load_bytes(places + column), false));
#pragma GCC unroll 8
      for (int r = 0; r < Rows; r++)
        sum[r] = Kind::add(sum[r], typename Kind::Activations(x + r * stride + Kind::span * i), at, w);
    };
    multiply(low, 0);
    multiply(high, lanes);
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; r++) {
    store(sums + r * BitmaskI8::line, low[r]);
    store(sums + r * BitmaskI8::line + lanes, high[r]);
  }
}

template <class Kind>
inline void some_of_four(const espalier::steps::some_of_four_i8& s, const Context& c) {
  const auto* const w = c.at<const uint8_t>(s.w);
  const auto* const column_sums = reinterpret_cast<const int32_t*>(w + s.sumsAt);
  const int64_t steps = s.k / Kind::span, panel_words = steps * bitmask_columns;
  const Sums f = sums_of(s, c, prepared_zero(c.at<const uint8_t>(s.xZero), s.xSigned));
  const auto multiply = [&](auto count, const activation8* x, int64_t panel, int32_t* sums) {
    some_of_four_tile<Kind, decltype(count)::value>(x, s.xStride, steps, w + 4 * panel * panel_words,
                                                    w + s.placesAt + panel * panel_words, sums);
  };
  walk_few<BitmaskI8>(s, c, steps, multiply, [&](const int32_t* sums, int64_t row, int rows, int64_t column, int columns) {
    finish_sums(f, sums, nullptr, column_sums + column, rows, column, columns, row * s.n + column, s.n);
  });
}

inline void some_of_four_i8(const espalier::steps::some_of_four_i8& s, const Context& c) {
  if (s.kept == 1) some_of_four<SomeOfFour<1>>(s, c);
  else some_of_four<SomeOfFour<2>>(s, c);
}

}  // namespace ESPALIER_ISA
