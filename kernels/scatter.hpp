// Updates written where indices say. Updates that meet must follow one another in the order of the indices, whatever the
// number of threads: so a thread takes a part of y, not of the updates, and walks all indices.
#pragma once
#include "core/bytes.hpp"
#include "generated/steps.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

enum ScatterReduction { scatter_none = 0, scatter_add = 1, scatter_mul = 2, scatter_max = 3, scatter_min = 4 };

// Larger and smaller with NaN kept, from either side.
ESPALIER_INLINE float larger(float a, float b) { return a > b || a != a ? a : b; }
ESPALIER_INLINE float smaller(float a, float b) { return a < b || a != a ? a : b; }

ESPALIER_INLINE float combined(int reduction, float old, float update) {
  switch (reduction) {
    case scatter_add: return old + update;
    case scatter_mul: return old * update;
    case scatter_max: return larger(old, update);
    case scatter_min: return smaller(old, update);
    default: return update;
  }
}

// Where tuple t writes, in slices; -1 where an index lies outside its axis.
ESPALIER_INLINE int64_t scattered_slice(const espalier::steps::scatter& s, const void* indices, int64_t t,
                                        const Context& c) {
  int64_t slice = 0;
  for (int k = 0; k < s.length; k++) {
    int64_t index = index_at(indices, s.indexSize, t * s.length + k);
    if (!position(index, s.extents[k], c)) return -1;
    slice += index * s.strides[k];
  }
  return slice;
}

inline void scatter(const espalier::steps::scatter& s, const Context& c) {
  const void* indices = c.at<const void>(s.indices);
  int64_t slices = 1;
  for (int k = 0; k < s.length; k++) slices *= s.extents[k];
  // This thread's slices when they are short, its part of every slice when they are long.
  const int64_t run = s.run;
  const bool whole = run * s.size < 4096;
  const Range taken = whole ? c.share(slices) : Range{0, slices};
  const Range part = whole ? Range{0, run} : c.share(run, 64);
  const int64_t n = part.end - part.begin;
  if (n <= 0 || taken.begin == taken.end) return;
  for (int64_t t = 0; t < s.tuples; t++) {
    const int64_t slice = scattered_slice(s, indices, t, c);
    if (slice < taken.begin || slice >= taken.end) continue;
    const int64_t to = slice * run + part.begin, from = t * run + part.begin;
    if (s.reduction == scatter_none) {
      move_bytes(c.at<uint8_t>(s.y) + to * s.size, c.at<const uint8_t>(s.updates) + from * s.size, n * s.size);
      continue;
    }
    float* y = c.at<float>(s.y) + to;
    const float* updates = c.at<const float>(s.updates) + from;
    for (int64_t i = 0; i < n; i++) y[i] = combined(s.reduction, y[i], updates[i]);
  }
}

// Updates meet only where they differ in nothing but the position along the indexed axis: threads split an axis before
// it, or the last one.
inline void scatter_elements(const espalier::steps::scatter_elements& s, const Context& c) {
  const int64_t count = product(s.shape, s.rank);
  if (count == 0) return;
  const void* indices = c.at<const void>(s.indices);
  const int last = s.rank - 1;
  const int64_t columns = s.shape[last], rows = count / columns;
  const int64_t before = product(s.shape, s.axis);
  const bool by_rows = s.axis == last || before >= 8;
  Range mine_rows{0, rows}, mine_columns{0, columns};
  if (by_rows) mine_rows = c.share(rows, s.axis == last ? 1 : rows / before);
  else mine_columns = c.share(columns, 16);
  if (mine_rows.begin == mine_rows.end) return;
  Walk<1> walk{last, s.shape, {s.yStrides}, {}, {}};
  walk.start(mine_rows.begin);
  for (int64_t row = mine_rows.begin; row < mine_rows.end; row++, walk.next())
    for (int64_t column = mine_columns.begin; column < mine_columns.end; column++) {
      const int64_t i = row * columns + column;
      int64_t index = index_at(indices, s.indexSize, i);
      if (!position(index, s.extent, c)) continue;
      const int64_t to = walk.offset[0] + column * s.yStrides[last] + index * s.stride;
      if (s.reduction == scatter_none)
        with_bits(s.size, [&](auto bits) { c.at<decltype(bits)>(s.y)[to] = c.at<decltype(bits)>(s.updates)[i]; });
      else
        c.at<float>(s.y)[to] = combined(s.reduction, c.at<float>(s.y)[to], c.at<const float>(s.updates)[i]);
    }
}

}  // namespace ESPALIER_ISA
