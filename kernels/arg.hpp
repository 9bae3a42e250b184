// Positions and orders along the middle axis of [outer, length, inner]: extrema, the largest k, running sums. Floor: memory
// once. NaN counts as the largest number for the k largest and as the extremum for positions, as in the reference.
#pragma once
#include "core/simd.hpp"
#include "generated/steps.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

namespace arg {

constexpr int column_block = 64;

// Elements that compare further out than `best`, and NaN, which beats all.
template <bool smallest, bool last>
ESPALIER_INLINE bool beats(float value, float best) {
  if (value != value) return last || best == best;
  if (best != best) return false;
  if (last && value == best) return true;
  return smallest ? value < best : value > best;
}

// One line of neighbours. Blocks of a vector whose elements all lose are passed over at once; after the first few, most do.
template <bool smallest, bool last>
int64_t extremum(const float* x, int64_t n) {
  int64_t found = 0;
  float best = x[0];
  for (int64_t i = 1; i < n;) {
    if (i + 2 * lanes <= n) {
      const f32v a = load(x + i), b = load(x + i + lanes), by = splat(best);
      // Not "loses", so that NaN counts as a candidate.
      const i32v loses = smallest ? (last ? (a > by) & (b > by) : (a >= by) & (b >= by))
                                  : (last ? (a < by) & (b < by) : (a <= by) & (b <= by));
      int32_t all = -1;
      for (int lane = 0; lane < lanes; lane++) all &= loses[lane];
      if (all) {
        i += 2 * lanes;
        continue;
      }
    }
    const int64_t end = i + 2 * lanes < n ? i + 2 * lanes : n;
    for (; i < end; i++)
      if (beats<smallest, last>(x[i], best)) best = x[i], found = i;
  }
  return found;
}

template <bool smallest, bool last>
void run(const espalier::steps::arg_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  int64_t* y = c.at<int64_t>(s.y);
  const int64_t length = s.length, inner = s.inner;
  if (inner == 1) {
    const Range mine = c.share(s.outer);
    for (int64_t line = mine.begin; line < mine.end; line++)
      y[line] = extremum<smallest, last>(x + line * length, length);
    return;
  }
  const int64_t blocks = (inner + column_block - 1) / column_block;
  const Range mine = c.share(int64_t(s.outer) * blocks);
  for (int64_t unit = mine.begin; unit < mine.end; unit++) {
    const int64_t first = unit % blocks * column_block, outer = unit / blocks;
    const int width = int(inner - first < column_block ? inner - first : column_block);
    const float* from = x + outer * length * inner + first;
    float best[column_block];
    int64_t* found = y + outer * inner + first;
    for (int i = 0; i < width; i++) best[i] = from[i], found[i] = 0;
    for (int64_t row = 1; row < length; row++)
      for (int i = 0; i < width; i++)
        if (beats<smallest, last>(from[row * inner + i], best[i])) best[i] = from[row * inner + i], found[i] = row;
  }
}

// Numbers as integers of the same order, NaN on top and -0 equal to 0; for the smallest, turned round, so that NaN comes
// last.
ESPALIER_INLINE int32_t rank_of(float value, bool smallest) {
  int32_t bits;
  if (value == 0) value = 0;
  __builtin_memcpy(&bits, &value, 4);
  const int32_t rank = value != value ? 0x7fffffff : bits ^ ((bits >> 31) & 0x7fffffff);
  return smallest ? ~rank : rank;
}

struct Candidate {
  int32_t rank;
  int32_t index;
};

// Whether a comes behind b in the result.
ESPALIER_INLINE bool behind(Candidate a, Candidate b) {
  return a.rank != b.rank ? a.rank < b.rank : a.index > b.index;
}

// A heap with the last of the candidates on top: sinks the one at `at` to its place.
inline void sink(Candidate* heap, int64_t n, int64_t at) {
  const Candidate moving = heap[at];
  for (;;) {
    int64_t child = 2 * at + 1;
    if (child >= n) break;
    if (child + 1 < n && behind(heap[child + 1], heap[child])) child++;
    if (!behind(heap[child], moving)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = moving;
}

// The k first of a line, sorted in place.
inline void select_k(const float* x, int64_t length, int64_t step, int64_t k, bool smallest, Candidate* heap) {
  for (int64_t i = 0; i < k; i++) heap[i] = {rank_of(x[i * step], smallest), int32_t(i)};
  for (int64_t i = k / 2; i-- > 0;) sink(heap, k, i);
  for (int64_t i = k; i < length; i++) {
    const Candidate next = {rank_of(x[i * step], smallest), int32_t(i)};
    if (!behind(heap[0], next)) continue;
    heap[0] = next;
    sink(heap, k, 0);
  }
  for (int64_t n = k; n-- > 1;) {
    const Candidate last = heap[0];
    heap[0] = heap[n];
    heap[n] = last;
    sink(heap, n, 0);
  }
}

template <class T, class Sum>
void cumulate(const T* x, T* y, int64_t outer, int64_t length, int64_t inner, bool exclusive, bool reverse, const Context& c) {
  const int64_t blocks = (inner + column_block - 1) / column_block;
  const Range mine = c.share(outer * blocks);
  for (int64_t unit = mine.begin; unit < mine.end; unit++) {
    const int64_t first = unit % blocks * column_block, start = unit / blocks * length * inner + first;
    const int width = int(inner - first < column_block ? inner - first : column_block);
    Sum sums[column_block] = {};
    for (int64_t i = 0; i < length; i++) {
      const int64_t at = start + (reverse ? length - 1 - i : i) * inner;
      for (int column = 0; column < width; column++) {
        const Sum next = sums[column] + Sum(x[at + column]);
        y[at + column] = T(exclusive ? sums[column] : next);
        sums[column] = next;
      }
    }
  }
}

}  // namespace arg

inline void arg_f32(const espalier::steps::arg_f32& s, const Context& c) {
  if (s.length == 0) return;
  if (s.smallest)
    s.last ? arg::run<true, true>(s, c) : arg::run<true, false>(s, c);
  else
    s.last ? arg::run<false, true>(s, c) : arg::run<false, false>(s, c);
}

inline void top_k_f32(const espalier::steps::top_k_f32& s, const Context& c) {
  const float* x = c.at<const float>(s.x);
  float* values = c.at<float>(s.values);
  int64_t* indices = c.at<int64_t>(s.indices);
  const int64_t length = s.length, inner = s.inner, k = s.k;
  if (k == 0) return;
  arg::Candidate* heap = c.at<arg::Candidate>(s.heap) + c.thread * k;
  const Range mine = c.share(int64_t(s.outer) * inner);
  for (int64_t line = mine.begin; line < mine.end; line++) {
    const float* from = x + line / inner * length * inner + line % inner;
    const int64_t to = line / inner * k * inner + line % inner;
    arg::select_k(from, length, inner, k, s.smallest, heap);
    for (int64_t i = 0; i < k; i++) {
      values[to + i * inner] = from[heap[i].index * inner];
      if (indices) indices[to + i * inner] = heap[i].index;
    }
  }
}

inline void cumulate_f32(const espalier::steps::cumulate_f32& s, const Context& c) {
  arg::cumulate<float, double>(c.at<const float>(s.x), c.at<float>(s.y), s.outer, s.length, s.inner, s.exclusive, s.reverse, c);
}

inline void cumulate_integer(const espalier::steps::cumulate_integer& s, const Context& c) {
  if (s.size == 4)
    arg::cumulate<uint32_t, uint32_t>(c.at<const uint32_t>(s.x), c.at<uint32_t>(s.y), s.outer, s.length, s.inner, s.exclusive,
                                      s.reverse, c);
  else
    arg::cumulate<uint64_t, uint64_t>(c.at<const uint64_t>(s.x), c.at<uint64_t>(s.y), s.outer, s.length, s.inner, s.exclusive,
                                      s.reverse, c);
}

}  // namespace ESPALIER_ISA
