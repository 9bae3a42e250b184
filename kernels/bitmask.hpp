// Products of few rows of activations with sparse weights, which are bound by reading the weights. These are words of 32
// bits: a float, or four 8-bit numbers that follow each other along k. A bit says of each word whether it has a number
// that is not zero, and the words that have follow each other (sparse/bitmask.ts). They are expanded in registers, and
// then are what a panel of dense weights is: sums add in the order of k, zeros among them, and are the same bits.
//
// Floor: a bit and the share of words that are kept of 4 bytes, a word, where dense ones take 4 bytes. Expanding costs about
// 8 operations for a vector of words on AVX2 (two counts, two loads that are joined, a shuffle and its places), 3 on AVX-512;
// rows share it.
#pragma once
#include "gemm_output.hpp"
#include "generated/steps.hpp"

namespace espalier {

// For a bit a word, where each byte of `Words` of them comes from; 128 where there is none, which every machine's shuffle
// of bytes turns to 0. Every four words are shuffled by themselves.
template <int Words>
struct WordPlaces {
  uint8_t lines[1 << Words][4 * Words];

  constexpr WordPlaces() : lines() {
    for (int bits = 0; bits < 1 << Words; bits++)
      for (int i = 0, next = 0; i < 4 * Words; i++) {
        if (i % 16 == 0) next = 0;
        lines[bits][i] = uint8_t(bits >> i / 4 & 1 ? next++ : 128);
      }
  }
};

}  // namespace espalier

namespace ESPALIER_ISA {

using espalier::Context;

constexpr int64_t bitmask_columns = 2 * lanes;
constexpr int64_t bitmask_bytes = bitmask_columns / 8;  // of a step of k
// Words are read a vector at a time: so many bytes beyond the last are read and not used.
constexpr int64_t bitmask_overrun = 64;
constexpr int bitmask_rows = 4;  // that share what is expanded

#if !defined(__AVX512F__)
alignas(64) inline constexpr espalier::WordPlaces<lanes> word_places{};
#endif

// A vector of words, of which `bits` says which there are. Moves on.
ESPALIER_INLINE i32v expand_words(uint32_t bits, const uint8_t*& words) {
  const uint8_t* const from = words;
  words = from + 4 * uint64_t(uint32_t(__builtin_popcount(bits)));
#if defined(__AVX512F__)
  return (i32v)_mm512_maskz_expand_epi32(__mmask16(bits), _mm512_loadu_si512(from));
#elif defined(__AVX2__)
  const uint8_t* const upper = from + 4 * uint64_t(uint32_t(__builtin_popcount(bits & 15)));
  const __m256i found = _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(upper), reinterpret_cast<const __m128i*>(from));
  return (i32v)_mm256_shuffle_epi8(found, *reinterpret_cast<const __m256i*>(word_places.lines[bits]));
#elif defined(__aarch64__)
  return (i32v)vqtbl1q_s8(vld1q_s8(reinterpret_cast<const int8_t*>(from)), vld1q_u8(word_places.lines[bits]));
#else
  return (i32v)wasm_i8x16_swizzle(wasm_v128_load(from), wasm_v128_load(word_places.lines[bits]));
#endif
}

template <int N>
struct RowCount {
  static constexpr int value = N;
};

// Rows of activations by one panel: sums[Rows][Kind::line]. `Kind` says what a word is: `Sum`, a vector of sums of
// `Element`s; `Words(vector)`, ready to multiply; `Activations(x)`, those that a word meets, `step` elements of x for each;
// `add(sum, activations, words)`.
template <class Kind, int Rows>
__attribute__((noinline)) void bitmask_tile(const typename Kind::Activation* x, int64_t stride, int64_t steps,
                                            const uint8_t* bits, const uint8_t* words, typename Kind::Element* sums) {
  typename Kind::Sum low[Rows], high[Rows];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; r++) low[r] = high[r] = typename Kind::Sum{};
  for (int64_t i = 0; i < steps; i++, bits += bitmask_bytes) {
    uint32_t both = 0;
    __builtin_memcpy(&both, bits, bitmask_bytes);
    const typename Kind::Words first(expand_words(both & ((1u << lanes) - 1), words)), second(expand_words(both >> lanes, words));
#pragma GCC unroll 8
    for (int r = 0; r < Rows; r++) {
      const typename Kind::Activations a(x + r * stride + Kind::step * i);
      low[r] = Kind::add(low[r], a, first);
      high[r] = Kind::add(high[r], a, second);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; r++) {
    store(sums + r * Kind::line, low[r]);
    store(sums + r * Kind::line + lanes, high[r]);
  }
}

// Walks a product of m rows by n columns: `multiply(count, rows of x, panel, sums)` for every tile of as many rows as `count`
// says by its type and bitmask_columns columns, then `finish(sums, first row, rows, first column, columns)`.
template <class Kind, class Step, class Multiply, class Finish>
ESPALIER_INLINE void walk_few(const Step& s, const Context& c, int64_t steps, const Multiply& multiply, const Finish& finish) {
  const int64_t panels = (int64_t(s.n) + bitmask_columns - 1) / bitmask_columns;
  const auto* const x = c.at<const typename Kind::Activation>(s.x);
  typename Kind::Element sums[bitmask_rows * Kind::line];
  // Parts of some 64 thousand words.
  c.pieces(panels, 65536 / (steps * bitmask_columns + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; panel++) {
      const int64_t column = panel * bitmask_columns, left = s.n - column;
      const int columns = int(left < bitmask_columns ? left : bitmask_columns);
      for (int r = 0, rows = 0; r < s.m; r += rows) {
        const auto* const from = x + int64_t(r) * s.xStride;
        rows = s.m - r;
        if (rows >= 4) rows = 4, multiply(RowCount<4>{}, from, panel, sums);
        else if (rows >= 2) rows = 2, multiply(RowCount<2>{}, from, panel, sums);
        else multiply(RowCount<1>{}, from, panel, sums);
        finish(sums, r, rows, column, columns);
      }
    }
  });
}

template <class Kind, class Step, class Finish>
ESPALIER_INLINE void bitmask_walk(const Step& s, const Context& c, int64_t steps, const Finish& finish) {
  const auto* const w = c.at<const uint8_t>(s.w);
  const auto* const starts = reinterpret_cast<const uint32_t*>(w + s.startsAt);
  const auto multiply = [&](auto count, const typename Kind::Activation* x, int64_t panel, typename Kind::Element* sums) {
    bitmask_tile<Kind, decltype(count)::value>(x, s.xStride, steps, w + panel * steps * bitmask_bytes,
                                               w + s.wordsAt + 4 * int64_t(starts[panel]), sums);
  };
  walk_few<Kind>(s, c, steps, multiply, finish);
}

struct BitmaskF32 {
  typedef float Activation;
  typedef float Element;
  typedef f32v Sum;
  static constexpr int step = 1;
  static constexpr int64_t line = bitmask_columns;
  struct Words {
    f32v all;
    explicit ESPALIER_INLINE Words(i32v v) : all(as_f32(v)) {}
  };
  struct Activations {
    f32v all;
    explicit ESPALIER_INLINE Activations(const float* x) : all(splat(*x)) {}
  };
  static ESPALIER_INLINE f32v add(f32v sum, const Activations& x, const Words& w) { return fma(x.all, w.all, sum); }
};

inline void bitmask_f32(const espalier::steps::bitmask_f32& s, const Context& c) {
  const GemmOutput all{c.at<float>(s.y), s.n, c.at<const float>(s.bias), 0, 1, c.at<const float>(s.residual), 1, 1,
                       s.activation, s.alpha, s.beta};
  bitmask_walk<BitmaskF32>(s, c, s.k, [&](const float* sums, int64_t row, int rows, int64_t column, int columns) {
    all.from(row, column).finish(sums, bitmask_columns, rows, columns);
  });
}

}  // namespace ESPALIER_ISA
