// Elements and slices picked by indices. The floor is the bandwidth of reading and writing the slices: they are moved
// whole, and threads share bytes, not slices, so that one long slice is split too.
#pragma once
#include "core/bytes.hpp"
#include "generated/steps.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// The slice of x that tuple t of part o names; -1, with a fault noted, where an index lies outside its axis.
ESPALIER_INLINE int64_t gathered_slice(const espalier::steps::gather& s, const void* indices, int64_t o, int64_t t,
                                       const Context& c) {
  int64_t slice = o * s.outerStride;
  const int64_t first = o * s.indexStride + t * s.length;
  for (int k = 0; k < s.length; k++) {
    int64_t index = index_at(indices, s.indexSize, first + k);
    if (!position(index, s.extents[k], c)) return -1;
    slice += index * s.strides[k];
  }
  return slice;
}

template <class T>
void gather_elements_of(const espalier::steps::gather& s, const Context& c) {
  const T* x = c.at<const T>(s.x);
  T* y = c.at<T>(s.y);
  const void* indices = c.at<const void>(s.indices);
  const Range mine = c.share(int64_t(s.outer) * s.tuples, 64);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int64_t slice = gathered_slice(s, indices, i / s.tuples, i % s.tuples, c);
    if (slice >= 0) y[i] = x[slice];
  }
}

inline void gather(const espalier::steps::gather& s, const Context& c) {
  if (s.run <= 16 && (s.run & (s.run - 1)) == 0)
    return with_bits(s.run, [&](auto bits) { gather_elements_of<decltype(bits)>(s, c); });
  const uint8_t* x = c.at<const uint8_t>(s.x);
  uint8_t* y = c.at<uint8_t>(s.y);
  const void* indices = c.at<const void>(s.indices);
  const int64_t run = s.run;
  const Range mine = c.share(int64_t(s.outer) * s.tuples * run, 256);
  for (int64_t i = mine.begin; i < mine.end;) {
    const int64_t row = i / run, skip = i % run;
    const int64_t n = run - skip < mine.end - i ? run - skip : mine.end - i;
    const int64_t slice = gathered_slice(s, indices, row / s.tuples, row % s.tuples, c);
    if (slice >= 0) move_bytes(y + i, x + slice * run + skip, n);
    i += n;
  }
}

inline void gather_elements(const espalier::steps::gather_elements& s, const Context& c) {
  const void* indices = c.at<const void>(s.indices);
  with_bits(s.size, [&](auto bits) {
    typedef decltype(bits) T;
    const T* x = c.at<const T>(s.x);
    T* y = c.at<T>(s.y);
    Walk<1> walk{s.rank, s.shape, {s.xStrides}, {}, {}};
    const Range mine = c.share(product(s.shape, s.rank), 64);
    if (mine.begin < mine.end) walk.start(mine.begin);
    for (int64_t i = mine.begin; i < mine.end; i++, walk.next()) {
      int64_t index = index_at(indices, s.indexSize, i);
      if (position(index, s.extent, c)) y[i] = x[walk.offset[0] + index * s.stride];
    }
  });
}

inline void one_hot(const espalier::steps::one_hot& s, const Context& c) {
  const void* indices = c.at<const void>(s.indices);
  with_bits(s.size, [&](auto bits) {
    typedef decltype(bits) T;
    const T* values = c.at<const T>(s.values);
    T* y = c.at<T>(s.y);
    const int64_t inner = s.inner, depth = s.depth;
    const Range mine = c.share(s.outer * depth * inner, 64);
    for (int64_t i = mine.begin; i < mine.end; i++) {
      const int64_t row = i / inner;
      int64_t index = index_at(indices, s.indexSize, row / depth * inner + i % inner);
      if (index < 0) index += depth;
      y[i] = values[index == row % depth];
    }
  });
}

inline void reverse_sequences(const espalier::steps::reverse_sequences& s, const Context& c) {
  const uint8_t* x = c.at<const uint8_t>(s.x);
  uint8_t* y = c.at<uint8_t>(s.y);
  const void* lengths = c.at<const void>(s.lengths);
  const int64_t run = s.run;
  const Range mine = c.share(int64_t(s.sequences) * s.steps);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int64_t sequence = i / s.steps, step = i % s.steps;
    const int64_t length = index_at(lengths, 8, sequence);
    if (length < 0 || length > s.steps) {
      c.fault(espalier::bad_length, length);
      continue;
    }
    const int64_t from = step < length ? length - 1 - step : step;
    const int64_t start = sequence * s.sequenceStride;
    move_bytes(y + (start + step * s.stepStride) * run, x + (start + from * s.stepStride) * run, run);
  }
}

}  // namespace ESPALIER_ISA
