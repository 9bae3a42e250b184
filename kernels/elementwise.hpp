// Every computation that takes each element on its own, and every chain of them: a small program over virtual registers.
// A register is a tile of some hundred elements that stays in L1; an instruction runs over a whole tile, so that decoding
// it costs nothing and what lies between two operators never reaches memory. The floor is therefore the traffic: every
// input read once, the output written once. Contiguous inputs and the output are used where they lie; what is narrow,
// strided or repeated is first brought into a register. The words of a program: plan/elementwise/program.ts.
#pragma once
#include "generated/steps.hpp"
#include "math/activation.hpp"
#include "math/power.hpp"
#include "math/trigonometry.hpp"

namespace ESPALIER_ISA {

using espalier::Context;
using espalier::Range;

namespace ew {

constexpr int slot_bytes = 2048;  // a register: 512 numbers of 32 bits, 256 of 64
constexpr int max_slots = 16;     // 32 kB at most: L1, and little enough stack for a worker
constexpr int max_inputs = 8;

// In the order of plan/elementwise/instructions.ts. Numbers are float32 (f32), int32 (i32) or int64 (i64) in registers.
enum Instruction : int32_t {
  add_f32, sub_f32, mul_f32, div_f32, min_f32, max_f32, pow_f32, fmod_f32, fma_f32,
  neg_f32, abs_f32, sqrt_f32, reciprocal_f32, exp_f32, log_f32, erf_f32, floor_f32, ceil_f32, round_f32, sign_f32,
  sin_f32, cos_f32, tan_f32, asin_f32, acos_f32, atan_f32, sinh_f32, cosh_f32, asinh_f32, acosh_f32, atanh_f32,
  expm1_f32, softplus_f32, mish_f32,
  relu_f32, clip_f32, leaky_relu_f32, sigmoid_f32, tanh_f32, hard_sigmoid_f32, hard_swish_f32, silu_f32, gelu_f32,
  gelu_tanh_f32, elu_f32,
  equal_f32, less_f32, less_equal_f32, select_f32,
  add_i32, sub_i32, mul_i32, div_i32, rem_i32, mod_i32, min_i32, max_i32, and_i32, or_i32, xor_i32, shl_i32, shr_i32,
  abs_i32, sign_i32, equal_i32, less_i32, less_equal_i32, select_i32,
  add_i64, sub_i64, mul_i64, div_i64, rem_i64, mod_i64, min_i64, max_i64, and_i64, or_i64, xor_i64, shl_i64, shr_i64,
  abs_i64, sign_i64, equal_i64, less_i64, less_equal_i64, select_i64,
  wrap_i8, wrap_u8, wrap_i16, wrap_u16, wrap_u32,
  f32_to_i32, f32_to_i64, i32_to_f32, i64_to_f32, i32_to_i64, i64_to_i32,
};

// In the order of plan/elementwise/instructions.ts: how elements lie in memory.
enum Storage : int32_t {
  float32, int32, int64, uint8, int8, boolean, int16, uint16, uint32, uint64, float16, bfloat16,
};

inline int storage_bytes(int storage) {
  static constexpr uint8_t bytes[] = {4, 4, 8, 1, 1, 1, 2, 2, 4, 8, 2, 2};
  return bytes[storage];
}
// Whether memory holds what a register does.
inline bool is_plain(int storage) {
  return storage == float32 || storage == int32 || storage == int64 || storage == uint64;
}

// Registers are reused for other types of number.
typedef int32_t i32a __attribute__((may_alias));
typedef uint32_t u32a __attribute__((may_alias));
typedef int64_t i64a __attribute__((may_alias));
typedef uint64_t u64a __attribute__((may_alias));
typedef float f32a __attribute__((may_alias));

// ---- 16-bit floats

inline float from_half(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000) << 16, rest = uint32_t(h & 0x7fff) << 13;
  if (rest >= 0x0f800000) return __builtin_bit_cast(float, sign | 0x70000000 | rest);  // infinity and NaN
  // The exponent is 112 too small, which a product corrects for subnormal numbers too.
  return __builtin_bit_cast(float, sign | __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, rest) * 0x1p112f));
}

inline uint16_t to_half(float v) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, v), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return uint16_t(sign | 0x7e00);
  if (rest >= 0x477ff000) return uint16_t(sign | 0x7c00);  // rounds to 2^16
  if (rest < 0x38800000) {                                 // subnormal: addition rounds at 2^-24
    const float sum = __builtin_bit_cast(float, rest) + 0.5f;
    return uint16_t(sign | (__builtin_bit_cast(uint32_t, sum) - 0x3f000000));
  }
  return uint16_t(sign | ((rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13));
}

inline uint16_t to_bfloat(float v) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, v);
  if ((bits & 0x7fffffff) > 0x7f800000) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// ---- Memory to registers and back

template <class To, class From, class F>
void convert_run(void* to, const void* from, int64_t stride, int n, F f) {
  To* y = static_cast<To*>(to);
  const From* x = static_cast<const From*>(from);
  if (stride == 1)
    for (int i = 0; i < n; i++) y[i] = f(x[i]);
  else
    for (int i = 0; i < n; i++) y[i] = f(x[i * stride]);
}

// n elements, `stride` apart, to a register.
inline void load_run(int storage, void* to, const void* from, int64_t stride, int n) {
  const auto same = [](auto v) { return v; };
  switch (storage) {
    case float32:
    case int32: return convert_run<i32a, i32a>(to, from, stride, n, same);
    case int64:
    case uint64: return convert_run<i64a, i64a>(to, from, stride, n, same);
    case boolean:
    case uint8: return convert_run<i32a, uint8_t>(to, from, stride, n, same);
    case int8: return convert_run<i32a, int8_t>(to, from, stride, n, same);
    case int16: return convert_run<i32a, int16_t>(to, from, stride, n, same);
    case uint16: return convert_run<i32a, uint16_t>(to, from, stride, n, same);
    case uint32: return convert_run<i64a, u32a>(to, from, stride, n, same);
    case float16: return convert_run<f32a, uint16_t>(to, from, stride, n, from_half);
    case bfloat16:
      return convert_run<u32a, uint16_t>(to, from, stride, n, [](uint16_t v) { return uint32_t(v) << 16; });
  }
}

// A register to n contiguous elements; integers keep their low bits.
inline void store_run(int storage, void* to, const void* from, int n) {
  switch (storage) {
    case float32:
    case int32: __builtin_memcpy(to, from, size_t(n) * 4); return;
    case int64:
    case uint64: __builtin_memcpy(to, from, size_t(n) * 8); return;
    case boolean:
    case uint8:
    case int8: return convert_run<uint8_t, i32a>(to, from, 1, n, [](int32_t v) { return uint8_t(v); });
    case int16:
    case uint16: return convert_run<uint16_t, i32a>(to, from, 1, n, [](int32_t v) { return uint16_t(v); });
    case uint32: return convert_run<u32a, i64a>(to, from, 1, n, [](int64_t v) { return uint32_t(v); });
    case float16: return convert_run<uint16_t, f32a>(to, from, 1, n, to_half);
    case bfloat16: return convert_run<uint16_t, f32a>(to, from, 1, n, to_bfloat);
  }
}

// ---- Instructions

// Over whole vectors: registers are as long, and memory is used in place only where n is a multiple of them.
template <class F>
ESPALIER_INLINE void each(void* d, const void* a, int n, F f) {
  for (int i = 0; i < n; i += lanes) store(static_cast<float*>(d) + i, f(load(static_cast<const float*>(a) + i)));
}
template <class F>
ESPALIER_INLINE void each(void* d, const void* a, const void* b, int n, F f) {
  for (int i = 0; i < n; i += lanes)
    store(static_cast<float*>(d) + i, f(load(static_cast<const float*>(a) + i), load(static_cast<const float*>(b) + i)));
}
template <class F>
ESPALIER_INLINE void each(void* d, const void* a, const void* b, const void* c, int n, F f) {
  for (int i = 0; i < n; i += lanes)
    store(static_cast<float*>(d) + i, f(load(static_cast<const float*>(a) + i), load(static_cast<const float*>(b) + i),
                                        load(static_cast<const float*>(c) + i)));
}
template <class D, class A, class F>
ESPALIER_INLINE void scalars(void* d, const void* a, int n, F f) {
  for (int i = 0; i < n; i++) static_cast<D*>(d)[i] = f(static_cast<const A*>(a)[i]);
}
template <class D, class A, class F>
ESPALIER_INLINE void scalars(void* d, const void* a, const void* b, int n, F f) {
  for (int i = 0; i < n; i++) static_cast<D*>(d)[i] = f(static_cast<const A*>(a)[i], static_cast<const A*>(b)[i]);
}
template <class T>
ESPALIER_INLINE void choose(void* d, const void* holds, const void* a, const void* b, int n) {
  for (int i = 0; i < n; i++)
    static_cast<T*>(d)[i] = static_cast<const i32a*>(holds)[i] ? static_cast<const T*>(a)[i] : static_cast<const T*>(b)[i];
}

ESPALIER_INLINE f32v truth(i32v mask) { return as_f32(mask & 1); }
// `other`, but a NaN in `v` stays.
ESPALIER_INLINE f32v unless_nan(f32v v, f32v other) { return select(v == v, other, v); }

// C's fmod, exactly: quotients of 27 bits at a time, whose products are exact in float64.
inline float fmod(float x, float y) {
  double rest = x < 0 ? -double(x) : double(x);
  const double d = y < 0 ? -double(y) : double(y);
  if (!(rest < __builtin_inf()) || !(d > 0)) return __builtin_nanf("");
  while (rest >= d) {
    double quotient = rest / d;
    if (quotient < 0x1p27) {
      quotient = double(int64_t(quotient));
    } else {
      const uint64_t bits = __builtin_bit_cast(uint64_t, quotient) & ~uint64_t(0x3ffffff);
      quotient = __builtin_bit_cast(double, bits);
      // The division may have been rounded up to it.
      if (quotient * d > rest) quotient = __builtin_bit_cast(double, bits - 0x4000000);
    }
    rest -= quotient * d;
  }
  return __builtin_signbit(x) ? -float(rest) : float(rest);
}

// Truncated; infinities are the ends, NaN is 0, and what is beyond int64 wraps.
inline int64_t to_int64(float v) {
  if (v >= -0x1p63f && v < 0x1p63f) return int64_t(v);
  const uint32_t bits = __builtin_bit_cast(uint32_t, v);
  const bool negative = bits >> 31;
  const int exponent = int(bits >> 23 & 255);
  if (exponent == 255) {
    if (bits & 0x7fffff) return 0;
    return negative ? INT64_MIN : INT64_MAX;
  }
  const int shift = exponent - 150;
  const uint64_t magnitude = shift < 64 ? uint64_t((bits & 0x7fffff) | 0x800000) << shift : 0;
  return int64_t(negative ? 0 - magnitude : magnitude);
}
inline int32_t to_int32(float v) {
  return v >= -0x1p31f && v < 0x1p31f ? int32_t(v) : int32_t(uint64_t(to_int64(v)));
}

// Integers of one width; arithmetic wraps. What is divided by zero is 0, and a fault.
template <class T, class U>
__attribute__((noinline)) void integers(int instruction, void* d, const void* a, const void* b, const void* c, int n,
                                        const Context& context) {
  constexpr int bits = 8 * sizeof(T);
  if (instruction >= div_i32 && instruction <= mod_i32)
    for (int i = 0; i < n; i++)
      if (static_cast<const T*>(b)[i] == 0) context.fault(espalier::division_by_zero, static_cast<const T*>(a)[i]);
  switch (instruction) {
    case add_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return U(x + y); });
    case sub_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return U(x - y); });
    case mul_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return U(x * y); });
    case div_i32: return scalars<T, T>(d, a, b, n, [](T x, T y) { return y == 0 ? T(0) : y == -1 ? T(0 - U(x)) : T(x / y); });
    case rem_i32: return scalars<T, T>(d, a, b, n, [](T x, T y) { return y == 0 || y == -1 ? T(0) : T(x % y); });
    case mod_i32:
      return scalars<T, T>(d, a, b, n, [](T x, T y) {
        const T rest = y == 0 || y == -1 ? T(0) : T(x % y);
        return rest != 0 && (rest < 0) != (y < 0) ? T(rest + y) : rest;
      });
    case min_i32: return scalars<T, T>(d, a, b, n, [](T x, T y) { return x < y ? x : y; });
    case max_i32: return scalars<T, T>(d, a, b, n, [](T x, T y) { return x > y ? x : y; });
    case and_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return x & y; });
    case or_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return x | y; });
    case xor_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return x ^ y; });
    case shl_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return y < bits ? U(x << y) : U(0); });
    case shr_i32: return scalars<U, U>(d, a, b, n, [](U x, U y) { return y < bits ? U(x >> y) : U(0); });
    case abs_i32: return scalars<T, T>(d, a, n, [](T x) { return x < 0 ? T(0 - U(x)) : x; });
    case sign_i32: return scalars<T, T>(d, a, n, [](T x) { return T((x > 0) - (x < 0)); });
    case equal_i32: return scalars<i32a, T>(d, a, b, n, [](T x, T y) { return x == y; });
    case less_i32: return scalars<i32a, T>(d, a, b, n, [](T x, T y) { return x < y; });
    case less_equal_i32: return scalars<i32a, T>(d, a, b, n, [](T x, T y) { return x <= y; });
    case select_i32: return choose<U>(d, a, b, c, n);
  }
}

// Runs one instruction over n elements; `whole` is n rounded up to whole vectors.
inline void run(int instruction, void* d, const void* a, const void* b, const void* c, int n, int whole,
                const Context& context) {
  if (instruction >= add_i32 && instruction <= select_i32) return integers<i32a, u32a>(instruction, d, a, b, c, n, context);
  if (instruction >= add_i64 && instruction <= select_i64)
    return integers<i64a, u64a>(instruction - add_i64 + add_i32, d, a, b, c, n, context);
  switch (instruction) {
    case add_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return x + y; });
    case sub_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return x - y; });
    case mul_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return x * y; });
    case div_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return x / y; });
    // A NaN wins: in y it passes, in x it is put back.
    case min_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return unless_nan(x, min(x, y)); });
    case max_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return unless_nan(x, max(x, y)); });
    case pow_f32: return each(d, a, b, whole, pow);
    case fmod_f32: return scalars<f32a, f32a>(d, a, b, n, fmod);
    case fma_f32: return each(d, a, b, c, whole, fma);
    case neg_f32: return each(d, a, whole, [](f32v x) { return -x; });
    case abs_f32: return each(d, a, whole, abs);
    case sqrt_f32: return each(d, a, whole, [](f32v x) { return sqrt(x); });
    case reciprocal_f32: return each(d, a, whole, [](f32v x) { return 1.0f / x; });
    case exp_f32: return each(d, a, whole, [](f32v x) { return exp(x); });
    case log_f32: return each(d, a, whole, log);
    case erf_f32: return each(d, a, whole, erf);
    case floor_f32: return each(d, a, whole, [](f32v x) { return floor(x); });
    case ceil_f32: return each(d, a, whole, [](f32v x) { return -floor(-x); });
    case round_f32: return each(d, a, whole, round_even);
    case sign_f32:
      return each(d, a, whole, [](f32v x) {
        const f32v one = as_f32((as_i32(x) & splat(int32_t(0x80000000))) | as_i32(splat(1.0f)));
        return select(x == splat(0.0f), x, unless_nan(x, one));
      });
    case sin_f32: return each(d, a, whole, sin);
    case cos_f32: return each(d, a, whole, cos);
    case tan_f32: return each(d, a, whole, tan);
    case asin_f32: return each(d, a, whole, asin);
    case acos_f32: return each(d, a, whole, acos);
    case atan_f32: return each(d, a, whole, atan);
    case sinh_f32: return each(d, a, whole, sinh);
    case cosh_f32: return each(d, a, whole, cosh);
    case asinh_f32: return each(d, a, whole, asinh);
    case acosh_f32: return each(d, a, whole, acosh);
    case atanh_f32: return each(d, a, whole, atanh);
    case expm1_f32: return each(d, a, whole, expm1);
    case softplus_f32: return each(d, a, whole, softplus);
    case mish_f32: return each(d, a, whole, mish);
    case relu_f32: return each(d, a, whole, [](f32v x) { return max(f32v{}, x); });
    case clip_f32: return each(d, a, b, c, whole, clip);
    case leaky_relu_f32: return each(d, a, b, whole, [](f32v x, f32v slope) { return select(x < f32v{}, slope * x, x); });
    case sigmoid_f32: return each(d, a, whole, sigmoid);
    case tanh_f32: return each(d, a, whole, tanh);
    case hard_sigmoid_f32:
      return each(d, a, b, c, whole, [](f32v x, f32v alpha, f32v beta) {
        return clip(fma(x, alpha, beta), f32v{}, splat(1.0f));
      });
    case hard_swish_f32: return each(d, a, whole, hard_swish);
    case silu_f32: return each(d, a, b, whole, [](f32v x, f32v alpha) { return x * sigmoid(alpha * x); });
    case gelu_f32: return each(d, a, whole, gelu);
    case gelu_tanh_f32: return each(d, a, whole, gelu_tanh);
    case elu_f32: return each(d, a, b, whole, elu);
    case equal_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return truth(x == y); });
    case less_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return truth(x < y); });
    case less_equal_f32: return each(d, a, b, whole, [](f32v x, f32v y) { return truth(x <= y); });
    case select_f32:
      return each(d, a, b, c, whole, [](f32v holds, f32v x, f32v y) { return select(as_i32(holds) != i32v{}, x, y); });
    case wrap_i8: return scalars<i32a, i32a>(d, a, n, [](int32_t x) { return int32_t(int8_t(x)); });
    case wrap_u8: return scalars<i32a, i32a>(d, a, n, [](int32_t x) { return x & 0xff; });
    case wrap_i16: return scalars<i32a, i32a>(d, a, n, [](int32_t x) { return int32_t(int16_t(x)); });
    case wrap_u16: return scalars<i32a, i32a>(d, a, n, [](int32_t x) { return x & 0xffff; });
    case wrap_u32: return scalars<i64a, i64a>(d, a, n, [](int64_t x) { return x & 0xffffffff; });
    case f32_to_i32: return scalars<i32a, f32a>(d, a, n, to_int32);
    case f32_to_i64: return scalars<i64a, f32a>(d, a, n, to_int64);
    case i32_to_f32: return scalars<f32a, i32a>(d, a, n, [](int32_t x) { return float(x); });
    case i64_to_f32: return scalars<f32a, i64a>(d, a, n, [](int64_t x) { return float(x); });
    case i32_to_i64: return scalars<i64a, i32a>(d, a, n, [](int32_t x) { return int64_t(x); });
    case i64_to_i32: return scalars<i32a, i64a>(d, a, n, [](int64_t x) { return int32_t(x); });
  }
}

// ---- The program

// One input: what it holds, and its strides along the axes of the step, in elements.
struct Input {
  const uint8_t* data;
  int storage;
  const int32_t* strides;
  bool repeated;    // one element everywhere
  bool contiguous;  // in the order of the output
};

// Where a tile begins: along every axis, and its elements left on the last.
struct Position {
  int64_t index[8];
};

inline Position position_of(int64_t element, const int32_t* shape, int rank) {
  Position p{};
  for (int i = rank - 1; i >= 0; i--) {
    p.index[i] = element % shape[i];
    element /= shape[i];
  }
  return p;
}

// n elements of an input that is repeated along some axes, row by row, to a register. A tile within one row is used where
// it lies, if it may be: `direct`.
inline const void* gather(const Input& x, Position p, const int32_t* shape, int rank, int n, bool direct, void* slot) {
  const int last = rank - 1, size = storage_bytes(x.storage), slot_size = x.storage == uint32 || size == 8 ? 8 : 4;
  int64_t offset = 0;
  for (int i = 0; i < rank; i++) offset += p.index[i] * x.strides[i];
  if (direct && x.strides[last] == 1 && p.index[last] + n <= shape[last] && is_plain(x.storage))
    return x.data + offset * size;
  for (int done = 0; done < n;) {
    const int64_t left = shape[last] - p.index[last];
    const int run = left < n - done ? int(left) : n - done;
    load_run(x.storage, static_cast<uint8_t*>(slot) + done * slot_size, x.data + offset * size, x.strides[last], run);
    done += run;
    p.index[last] += run;
    offset += int64_t(run) * x.strides[last];
    for (int i = last; i > 0 && p.index[i] == shape[i]; i--) {
      p.index[i] = 0;
      offset += x.strides[i - 1] - int64_t(shape[i]) * x.strides[i];
      p.index[i - 1]++;
    }
  }
  return slot;
}

}  // namespace ew

// program: [inputs, constants, registers, wide, storage of y, result, instructions,
//           inputs x [storage, strides x rank], constants x [is 64-bit, low, high], instructions x [code, to, a, b, c]].
// Registers are numbered: inputs, constants, then the others.
inline void elementwise(const espalier::steps::elementwise& s, const Context& c) {
  using namespace ew;
  const int32_t* p = s.program;
  const int inputs = p[0], constants = p[1], registers = p[2], wide = p[3], y_storage = p[4], result = p[5], count = p[6];
  p += 7;
  const int rank = s.rank;
  int64_t total = 1;
  for (int i = 0; i < rank; i++) total *= s.shape[i];
  const int tile = wide ? slot_bytes / 8 : slot_bytes / 4;
  const Range mine = c.share(total, tile);
  if (mine.begin >= mine.end || inputs + constants + registers > max_slots) return;

  // What is the same everywhere fills its register once.
  const int filled = mine.end - mine.begin < tile ? int((mine.end - mine.begin + lanes - 1) / lanes * lanes) : tile;

  alignas(64) uint8_t memory[max_slots][slot_bytes];
  const void* at[max_slots];
  for (int i = 0; i < max_slots; i++) at[i] = memory[i];

  const espalier::Operand operands[max_inputs] = {s.x0, s.x1, s.x2, s.x3, s.x4, s.x5, s.x6, s.x7};
  Input x[max_inputs];
  for (int i = 0; i < inputs; i++, p += 1 + rank) {
    x[i] = {c.at<const uint8_t>(operands[i]), p[0], p + 1, true, true};
    int64_t expected = 1;
    for (int axis = rank - 1; axis >= 0; axis--) {
      if (s.shape[axis] == 1) continue;
      if (x[i].strides[axis] != 0) x[i].repeated = false;
      if (x[i].strides[axis] != expected) x[i].contiguous = false;
      expected *= s.shape[axis];
    }
    if (x[i].repeated) load_run(x[i].storage, memory[i], x[i].data, 0, filled);
  }
  for (int i = 0; i < constants; i++, p += 3) {
    const int64_t value = int64_t(uint64_t(uint32_t(p[2])) << 32 | uint32_t(p[1]));
    load_run(p[0] ? int64 : int32, memory[inputs + i], &value, 0, filled);
  }

  uint8_t* const y = c.at<uint8_t>(s.y);
  const int y_size = storage_bytes(y_storage);
  for (int64_t begin = mine.begin; begin < mine.end; begin += tile) {
    const int n = mine.end - begin < tile ? int(mine.end - begin) : tile;
    const bool direct = n % lanes == 0;
    const int whole = (n + lanes - 1) / lanes * lanes;
    bool placed = false;
    Position position{};
    for (int i = 0; i < inputs; i++) {
      if (x[i].repeated) continue;
      const uint8_t* from = x[i].data + begin * storage_bytes(x[i].storage);
      if (x[i].contiguous) {
        at[i] = direct && is_plain(x[i].storage) ? from : memory[i];
        if (at[i] == memory[i]) load_run(x[i].storage, memory[i], from, 1, n);
        continue;
      }
      if (!placed) position = position_of(begin, s.shape, rank);
      placed = true;
      at[i] = gather(x[i], position, s.shape, rank, n, direct, memory[i]);
    }
    uint8_t* const to = y + begin * y_size;
    const bool in_place = count > 0 && direct && is_plain(y_storage);
    for (int i = 0; i < count; i++) {
      const int32_t* code = p + 5 * i;
      void* d = in_place && i == count - 1 ? static_cast<void*>(to) : memory[code[1]];
      run(code[0], d, at[code[2]], at[code[3]], at[code[4]], n, whole, c);
    }
    if (!in_place) store_run(y_storage, to, at[result], n);
  }
}

}  // namespace ESPALIER_ISA
