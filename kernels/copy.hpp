// Strided copies: transposes, slices, expansions, parts of a concatenation. The floor is the memory's bandwidth, each
// byte read once and written once. Three ways: rows that lie together on both sides are moved whole; where another axis
// is contiguous in x than in y, square tiles of a cache line by a cache line go through registers, so that every line
// is touched once on both sides whatever the strides (few channels are woven together, and apart, without a tile); the
// rest goes element by element.
#pragma once
#include "core/bytes.hpp"
#include "generated/steps.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

// This thread's part of `rows` rows of `run` elements.
template <class T>
void move_rows(T* y, int64_t y_pitch, const T* x, int64_t x_pitch, int64_t rows, int64_t run, const Context& c) {
  if (run == 1) {
    const Range mine = c.share(rows, 256 / int64_t(sizeof(T)));
    for (int64_t i = mine.begin; i < mine.end; i++) y[i * y_pitch] = x[i * x_pitch];
    return;
  }
  const Range mine = c.share(rows * run, 256 / int64_t(sizeof(T)));
  int64_t row = mine.begin / run, column = mine.begin % run;
  for (int64_t i = mine.begin; i < mine.end; row++, column = 0) {
    const int64_t n = run - column < mine.end - i ? run - column : mine.end - i;
    move_bytes(y + row * y_pitch + column, x + row * x_pitch + column, n * int64_t(sizeof(T)));
    i += n;
  }
}

// The innermost axis is contiguous in y, and in x contiguous or repeated.
template <class T>
void copy_rows(const espalier::steps::copy& s, const T* x, T* y, const Context& c) {
  const int last = s.rank - 1;
  const int64_t run = s.shape[last];
  const bool repeated = s.xStrides[last] == 0;
  Walk<2> walk{last, s.shape, {s.xStrides, s.yStrides}, {}, {}};
  const Range mine = c.share(product(s.shape, s.rank), 256 / int64_t(sizeof(T)));
  walk.start(mine.begin / run);
  int64_t column = mine.begin % run;
  for (int64_t i = mine.begin; i < mine.end;) {
    const int64_t n = run - column < mine.end - i ? run - column : mine.end - i;
    const T* from = x + walk.offset[0];
    T* to = y + walk.offset[1] + column;
    if (repeated) fill(to, *from, n);
    else if (sizeof(T) * n <= 16) for (int64_t k = 0; k < n; k++) to[k] = from[column + k];
    else move_bytes(to, from + column, n * int64_t(sizeof(T)));
    i += n;
    column = 0;
    walk.next();
  }
}

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));

ESPALIER_INLINE u8x16 low_pairs(u8x16 a, u8x16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
ESPALIER_INLINE u8x16 high_pairs(u8x16 a, u8x16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
ESPALIER_INLINE u16x8 low_pairs(u16x8 a, u16x8 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
ESPALIER_INLINE u16x8 high_pairs(u16x8 a, u16x8 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
ESPALIER_INLINE u32x4 low_pairs(u32x4 a, u32x4 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
ESPALIER_INLINE u32x4 high_pairs(u32x4 a, u32x4 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
ESPALIER_INLINE u64x2 low_pairs(u64x2 a, u64x2 b) { return __builtin_shufflevector(a, b, 0, 2); }
ESPALIER_INLINE u64x2 high_pairs(u64x2 a, u64x2 b) { return __builtin_shufflevector(a, b, 1, 3); }

template <int bytes>
struct Quarter;
template <>
struct Quarter<1> {
  typedef u8x16 type;
};
template <>
struct Quarter<2> {
  typedef u16x8 type;
};
template <>
struct Quarter<4> {
  typedef u32x4 type;
};
template <>
struct Quarter<8> {
  typedef u64x2 type;
};

// y[j][i] = x[i][j] for a square of vectors of 16 bytes: log2(n) rounds of interleaving the halves.
template <class T>
ESPALIER_INLINE void transpose_square(T* y, int64_t y_pitch, const T* x, int64_t x_pitch) {
  typedef typename Quarter<sizeof(T)>::type V;
  struct __attribute__((packed, may_alias)) Loose {
    V v;
  };
  constexpr int n = 16 / sizeof(T);
  V rows[n];
#pragma GCC unroll 16
  for (int i = 0; i < n; i++) rows[i] = reinterpret_cast<const Loose*>(x + i * x_pitch)->v;
#pragma GCC unroll 4
  for (int round = 1; round < n; round *= 2) {
    V next[n];
#pragma GCC unroll 8
    for (int i = 0; i < n / 2; i++) {
      next[2 * i] = low_pairs(rows[i], rows[i + n / 2]);
      next[2 * i + 1] = high_pairs(rows[i], rows[i + n / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; i++) rows[i] = next[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < n; i++) reinterpret_cast<Loose*>(y + i * y_pitch)->v = rows[i];
}
template <>
ESPALIER_INLINE void transpose_square(Bits<16>* y, int64_t, const Bits<16>* x, int64_t) {
  *y = *x;
}

// y[j][i] = x[i][j] for i < rows, j < columns, both at most a cache line.
template <class T>
void transpose_tile(T* y, int64_t y_pitch, const T* x, int64_t x_pitch, int rows, int columns) {
  constexpr int line = 64 / sizeof(T), square = 16 / sizeof(T);
  T from[line * line], to[line * line];
  int64_t from_pitch = x_pitch;
  if (rows < line || columns < line) {
    for (int i = 0; i < rows; i++) move_bytes(from + i * line, x + i * x_pitch, columns * int64_t(sizeof(T)));
    x = from;
    from_pitch = line;
  }
  for (int i = 0; i < rows; i += square)
    for (int j = 0; j < columns; j += square)
      transpose_square(to + j * line + i, line, x + i * from_pitch + j, from_pitch);
  if (rows == line)
    for (int j = 0; j < columns; j++) __builtin_memcpy(y + j * y_pitch, to + j * line, 64);
  else
    for (int j = 0; j < columns; j++) move_bytes(y + j * y_pitch, to + j * line, rows * int64_t(sizeof(T)));
}

// The innermost axis is contiguous in y, axis `along` in x.
template <class T>
void copy_tiles(const espalier::steps::copy& s, int along, const T* x, T* y, const Context& c) {
  constexpr int line = 64 / sizeof(T);
  const int last = s.rank - 1;
  const int64_t rows = s.shape[last], columns = s.shape[along];
  const int64_t row_tiles = (rows + line - 1) / line, column_tiles = (columns + line - 1) / line;
  int32_t shape[most_axes], x_strides[most_axes], y_strides[most_axes];
  int rank = 0;
  for (int axis = 0; axis < last; axis++) {
    if (axis == along) continue;
    shape[rank] = s.shape[axis];
    x_strides[rank] = s.xStrides[axis];
    y_strides[rank++] = s.yStrides[axis];
  }
  Walk<2> walk{rank, shape, {x_strides, y_strides}, {}, {}};
  const int64_t tiles = row_tiles * column_tiles;
  const Range mine = c.share(product(shape, rank) * tiles);
  walk.start(mine.begin / tiles);
  for (int64_t i = mine.begin, tile = mine.begin % tiles; i < mine.end; i++) {
    const int64_t row = tile % row_tiles * line, column = tile / row_tiles * line;
    transpose_tile(y + walk.offset[1] + row + column * s.yStrides[along], s.yStrides[along],
                   x + walk.offset[0] + row * s.xStrides[last] + column, s.xStrides[last],
                   int(rows - row < line ? rows - row : line), int(columns - column < line ? columns - column : line));
    if (++tile < tiles) continue;
    tile = 0;
    walk.next();
  }
}

// Up to so many sequences of elements of 4 bytes are woven into one, and one is taken apart.
constexpr int64_t most_woven = 4;

ESPALIER_INLINE u32x4 load_four(const Bits<4>* p) {
  u32x4 v;
  __builtin_memcpy(&v, p, 16);
  return v;
}
ESPALIER_INLINE void store_four(Bits<4>* p, u32x4 v) { __builtin_memcpy(p, &v, 16); }

// y[i * count + k] = x[k * pitch + i] for i < n. What a vector stores beyond its elements the next one overwrites; the
// last elements go one by one.
inline void weave(Bits<4>* y, const Bits<4>* x, int64_t pitch, int count, int64_t n) {
  int64_t i = 0;
  for (; i + 4 < n; i += 4, y += 4 * count) {
    const u32x4 a = load_four(x + i), b = load_four(x + pitch + i);
    const u32x4 c = count > 2 ? load_four(x + 2 * pitch + i) : a, d = count > 3 ? load_four(x + 3 * pitch + i) : b;
    const u32x4 ac = low_pairs(a, c), bd = low_pairs(b, d), ac2 = high_pairs(a, c), bd2 = high_pairs(b, d);
    store_four(y, low_pairs(ac, bd));
    store_four(y + count, high_pairs(ac, bd));
    store_four(y + 2 * count, low_pairs(ac2, bd2));
    store_four(y + 3 * count, high_pairs(ac2, bd2));
  }
  for (; i < n; i++, y += count)
    for (int k = 0; k < count; k++) y[k] = x[k * pitch + i];
}

// y[k * pitch + i] = x[i * count + k]
inline void unweave(Bits<4>* y, int64_t pitch, const Bits<4>* x, int count, int64_t n) {
  int64_t i = 0;
  for (; i + 4 < n; i += 4, x += 4 * count) {
    const u32x4 a = load_four(x), b = load_four(x + count), c = load_four(x + 2 * count), d = load_four(x + 3 * count);
    const u32x4 ac = low_pairs(a, c), bd = low_pairs(b, d);
    store_four(y + i, low_pairs(ac, bd));
    store_four(y + pitch + i, high_pairs(ac, bd));
    if (count < 3) continue;
    const u32x4 ac2 = high_pairs(a, c), bd2 = high_pairs(b, d);
    store_four(y + 2 * pitch + i, low_pairs(ac2, bd2));
    if (count > 3) store_four(y + 3 * pitch + i, high_pairs(ac2, bd2));
  }
  for (; i < n; i++, x += count)
    for (int k = 0; k < count; k++) y[k * pitch + i] = x[k];
}

// Whether weave does it (1), unweave (2) or none: two axes that lie the other way around, one of them short.
inline int woven(const espalier::steps::copy& s) {
  if (s.size != 4 || s.rank < 2) return 0;
  const int last = s.rank - 1, other = s.rank - 2;
  const int64_t rows = s.shape[other], columns = s.shape[last];
  if (s.yStrides[last] != 1 || s.xStrides[other] != 1) return 0;
  if (columns > 1 && columns <= most_woven && s.yStrides[other] == columns) return 1;
  return rows > 1 && rows <= most_woven && s.xStrides[last] == rows ? 2 : 0;
}

inline void copy_woven(const espalier::steps::copy& s, int way, const Bits<4>* x, Bits<4>* y, const Context& c) {
  const int last = s.rank - 1, other = s.rank - 2;
  const int count = s.shape[way == 1 ? last : other];
  const int64_t length = s.shape[way == 1 ? other : last];
  Walk<2> walk{other, s.shape, {s.xStrides, s.yStrides}, {}, {}};
  const Range mine = c.share(product(s.shape, other) * length, 256);
  walk.start(mine.begin / length);
  int64_t from = mine.begin % length;
  for (int64_t i = mine.begin; i < mine.end; walk.next(), from = 0) {
    const int64_t n = length - from < mine.end - i ? length - from : mine.end - i;
    if (way == 1) weave(y + walk.offset[1] + from * count, x + walk.offset[0] + from, s.xStrides[last], count, n);
    else unweave(y + walk.offset[1] + from, s.yStrides[other], x + walk.offset[0] + from * count, count, n);
    i += n;
  }
}

template <class T>
void copy_elements(const espalier::steps::copy& s, const T* x, T* y, const Context& c) {
  const int last = s.rank - 1;
  const int64_t run = s.shape[last], x_step = s.xStrides[last], y_step = s.yStrides[last];
  Walk<2> walk{last, s.shape, {s.xStrides, s.yStrides}, {}, {}};
  const Range mine = c.share(product(s.shape, s.rank), 64);
  walk.start(mine.begin / run);
  int64_t column = mine.begin % run;
  for (int64_t i = mine.begin; i < mine.end;) {
    const int64_t n = run - column < mine.end - i ? run - column : mine.end - i;
    const T* from = x + walk.offset[0] + column * x_step;
    T* to = y + walk.offset[1] + column * y_step;
    for (int64_t k = 0; k < n; k++) to[k * y_step] = from[k * x_step];
    i += n;
    column = 0;
    walk.next();
  }
}

template <class T>
void copy_strided(const espalier::steps::copy& s, const Context& c) {
  const T* x = c.at<const T>(s.x);
  T* y = c.at<T>(s.y);
  const int last = s.rank - 1;
  if (product(s.shape, s.rank) == 0) return;
  if (s.rank == 0) {
    if (c.thread == 0) *y = *x;
  } else if (s.yStrides[last] == 1 && (s.xStrides[last] == 1 || s.xStrides[last] == 0)) {
    copy_rows(s, x, y, c);
  } else {
    int along = -1;
    for (int axis = 0; axis < last; axis++)
      if (s.xStrides[axis] == 1 && s.shape[axis] > 1) along = axis;
    if constexpr (sizeof(T) == 4)
      if (const int way = woven(s)) return copy_woven(s, way, x, y, c);
    if (along >= 0 && s.yStrides[last] == 1) copy_tiles(s, along, x, y, c);
    else copy_elements(s, x, y, c);
  }
}

inline void copy(const espalier::steps::copy& s, const Context& c) {
  with_bits(s.size, [&](auto bits) { copy_strided<decltype(bits)>(s, c); });
}

inline void concat(const espalier::steps::concat& s, const Context& c) {
  const espalier::Operand inputs[] = {s.x0, s.x1, s.x2, s.x3, s.x4, s.x5, s.x6, s.x7};
  with_bits(s.size, [&](auto bits) {
    typedef decltype(bits) T;
    T* y = c.at<T>(s.y);
    for (int i = 0; i < 8 && inputs[i].present(); i++) {
      if (s.runs[i] > 0) move_rows(y, s.pitch, c.at<const T>(inputs[i]), s.runs[i], s.rows, s.runs[i], c);
      y += s.runs[i];
    }
  });
}

}  // namespace ESPALIER_ISA
