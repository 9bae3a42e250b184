// Moving elements without reading them: an element is its bits, wherever it lies. Operands are aligned to the elements of
// their data type only, and a few of those may be moved as one larger element, so nothing here assumes an alignment.
#pragma once
#include "context.hpp"
#include "simd.hpp"

namespace ESPALIER_ISA {

template <int bytes>
struct Word;
template <>
struct Word<1> {
  typedef uint8_t type;
};
template <>
struct Word<2> {
  typedef uint16_t type;
};
template <>
struct Word<4> {
  typedef uint32_t type;
};
template <>
struct Word<8> {
  typedef uint64_t type;
};

// An element of so many bytes: 1, 2, 4, 8 or 16.
template <int bytes>
struct __attribute__((packed, may_alias)) Bits {
  typename Word<bytes>::type word;
};
template <>
struct __attribute__((packed, may_alias)) Bits<16> {
  uint64_t word[2];
};

// Calls `f` with an element of `size` bytes, to dispatch on its type.
template <class F>
ESPALIER_INLINE void with_bits(int size, F f) {
  switch (size) {
    case 1: return f(Bits<1>{});
    case 2: return f(Bits<2>{});
    case 4: return f(Bits<4>{});
    case 8: return f(Bits<8>{});
    case 16: return f(Bits<16>{});
  }
}

// From here on the library's copy, with its string instructions, is worth its call.
constexpr int64_t long_run = 1024;

// n bytes; the blocks do not overlap. Short runs end with a vector that overlaps the one before.
inline void move_bytes(void* to, const void* from, int64_t n) {
  uint8_t* y = static_cast<uint8_t*>(to);
  const uint8_t* x = static_cast<const uint8_t*>(from);
  typedef Bits<16> V;
  const auto move = [&](int64_t at, auto bits) {
    typedef decltype(bits) B;
    *reinterpret_cast<B*>(y + at) = *reinterpret_cast<const B*>(x + at);
  };
  if (n >= long_run) {
    __builtin_memcpy(y, x, size_t(n));
  } else if (n >= 16) {
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
      move(i, V{});
      move(i + 16, V{});
    }
    if (i + 16 <= n) move(i, V{});
    move(n - 16, V{});
  } else if (n >= 8) {
    move(0, Bits<8>{});
    move(n - 8, Bits<8>{});
  } else if (n >= 4) {
    move(0, Bits<4>{});
    move(n - 4, Bits<4>{});
  } else if (n >= 2) {
    move(0, Bits<2>{});
    move(n - 2, Bits<2>{});
  } else if (n == 1) {
    *y = *x;
  }
}

// n times the same element.
template <class T>
ESPALIER_INLINE void fill(T* y, T value, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = value;
}

constexpr int most_axes = 8;

// Visits a box of indices in row-major order and keeps the offset that each of `count` lists of strides gives.
template <int count>
struct Walk {
  int rank;
  const int32_t* shape;
  const int32_t* strides[count];
  int64_t at[most_axes];
  int64_t offset[count];

  ESPALIER_INLINE void start(int64_t index) {
    for (int k = 0; k < count; k++) offset[k] = 0;
    for (int axis = rank - 1; axis >= 0; axis--) {
      at[axis] = index % shape[axis];
      index /= shape[axis];
      for (int k = 0; k < count; k++) offset[k] += at[axis] * strides[k][axis];
    }
  }

  ESPALIER_INLINE void next() {
    for (int axis = rank - 1; axis >= 0; axis--) {
      for (int k = 0; k < count; k++) offset[k] += strides[k][axis];
      if (++at[axis] < shape[axis]) return;
      for (int k = 0; k < count; k++) offset[k] -= int64_t(shape[axis]) * strides[k][axis];
      at[axis] = 0;
    }
  }
};

ESPALIER_INLINE int64_t product(const int32_t* shape, int rank) {
  int64_t n = 1;
  for (int i = 0; i < rank; i++) n *= shape[i];
  return n;
}

// An entry of a list of indices of 4 or 8 bytes.
ESPALIER_INLINE int64_t index_at(const void* indices, int size, int64_t i) {
  if (size == 8) return int64_t(static_cast<const Bits<8>*>(indices)[i].word);
  return int32_t(static_cast<const Bits<4>*>(indices)[i].word);
}

// Counts a negative index from the end; false, with a fault noted, where it lies outside the axis.
ESPALIER_INLINE bool position(int64_t& index, int64_t extent, const espalier::Context& c) {
  const int64_t given = index;
  if (index < 0) index += extent;
  if (index >= 0 && index < extent) return true;
  c.fault(espalier::index_out_of_range, given);
  return false;
}

}  // namespace ESPALIER_ISA
