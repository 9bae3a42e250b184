// Positions picked axis by axis from tables: pads of every mode, crops, nearest-neighbour resizing; and triangles of
// matrices. Rows are moved whole where the last axis' table counts up, so that the floor is the memory's bandwidth.
#pragma once
#include "copy.hpp"

namespace ESPALIER_ISA {

template <class T>
ESPALIER_INLINE void pick_row(const espalier::steps::pick_axes& s, T* y, const T* x, const int32_t* table, int64_t step,
                              T filling) {
  const int64_t n = s.shape[s.rank - 1];
  const auto pick = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) y[i] = table[i] < 0 ? filling : x[table[i] * step];
  };
  // A run that is the whole axis has no table: x starts where it does.
  if (s.from == 0 && s.to == n && step == 1) return move_bytes(y, x, n * int64_t(sizeof(T)));
  if (step != 1) return pick(0, n);
  pick(0, s.from);
  if (s.to > s.from) move_bytes(y + s.from, x + table[s.from], (s.to - s.from) * int64_t(sizeof(T)));
  pick(s.to, n);
}

// Every element of a row twice: what enlarging images by two comes to.
template <class T>
ESPALIER_INLINE void double_row(T* y, const T* x, int64_t n) {
  typedef typename Quarter<sizeof(T)>::type V;
  struct __attribute__((packed, may_alias)) Loose {
    V v;
  };
  constexpr int width = 16 / sizeof(T);
  int64_t i = 0;
  for (; i + width <= n; i += width) {
    const V v = reinterpret_cast<const Loose*>(x + i)->v;
    reinterpret_cast<Loose*>(y + 2 * i)->v = low_pairs(v, v);
    reinterpret_cast<Loose*>(y + 2 * i + width)->v = high_pairs(v, v);
  }
  for (; i < n; i++) y[2 * i] = y[2 * i + 1] = x[i];
}
template <>
ESPALIER_INLINE void double_row(Bits<16>* y, const Bits<16>* x, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[2 * i] = y[2 * i + 1] = x[i];
}

template <class T>
void pick_elements(const espalier::steps::pick_axes& s, const Context& c) {
  const T* x = c.at<const T>(s.x);
  T* y = c.at<T>(s.y);
  const T filling = s.fill.present() ? *c.at<const T>(s.fill) : T{};
  const int last = s.rank - 1;
  const int32_t* tables[most_axes];
  const int32_t* next = c.at<const int32_t>(s.tables);
  for (int axis = 0; axis <= last; axis++) {
    tables[axis] = next;
    next += s.shape[axis];
  }
  const int64_t run = s.shape[last], rows = product(s.shape, last);
  if (run == 0) return;
  const Range mine = c.share(rows, run < 64 ? 64 / run : 1);
  for (int64_t row = mine.begin; row < mine.end; row++) {
    int64_t from = 0, rest = row;
    bool inside = true;
    for (int axis = last - 1; axis >= 0; axis--) {
      const int64_t at = tables[axis][rest % s.shape[axis]];
      rest /= s.shape[axis];
      inside &= at >= 0;
      from += at * s.xStrides[axis];
    }
    T* to = y + row * run;
    if (!inside) fill(to, filling, run);
    else if (s.repeat == 2 && s.xStrides[last] == 1) double_row(to, x + from, run / 2);
    else pick_row(s, to, x + from, tables[last], s.xStrides[last], filling);
  }
}

inline void pick_axes(const espalier::steps::pick_axes& s, const Context& c) {
  with_bits(s.size, [&](auto bits) { pick_elements<decltype(bits)>(s, c); });
}

inline void triangle(const espalier::steps::triangle& s, const Context& c) {
  const uint8_t* x = c.at<const uint8_t>(s.x);
  uint8_t* y = c.at<uint8_t>(s.y);
  const int64_t columns = s.columns, size = s.size;
  const auto within = [&](int64_t column) { return column < 0 ? 0 : column > columns ? columns : column; };
  const Range mine = c.share(int64_t(s.matrices) * s.rows);
  for (int64_t i = mine.begin; i < mine.end; i++) {
    const int64_t row = i % s.rows, start = i * columns * size;
    const int64_t begin = within(row + s.first), last = within(row + s.last + 1);
    const int64_t end = last < begin ? begin : last;
    fill(y + start, uint8_t(0), begin * size);
    move_bytes(y + start + begin * size, x + start + begin * size, (end - begin) * size);
    fill(y + start + end * size, uint8_t(0), (columns - end) * size);
  }
}

}  // namespace ESPALIER_ISA
