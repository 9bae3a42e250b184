// What the tests of 8-bit products share: random operands with scales and zero points, and what becomes of a sum, said
// plainly.
#pragma once
#include "../conv_i8.hpp"
#include "check.hpp"

namespace check {

using namespace ESPALIER_ISA;

inline std::vector<uint8_t> bytes(int64_t n, bool extremes = false) {
  std::vector<uint8_t> v(n);
  for (auto& b : v) b = extremes ? (integer(0, 1) ? 255 : integer(0, 1) ? 128 : 127) : integer(0, 255);
  return v;
}
inline int value(uint8_t byte, bool is_signed) { return is_signed ? int8_t(byte) : byte; }

// Everything about a product but its shape.
struct Call {
  bool x_signed, w_signed, per_column, w_zeros_per_column, bias_float;
  int output, activation;
  float alpha, beta;
  std::vector<uint8_t> x_zero, w_zero, y_zero;
  std::vector<float> x_scale, w_scale, y_scale, bias_f, residual;
  std::vector<int32_t> bias_i;
};

inline Call random_call(int64_t columns, int64_t results, bool weight_zeros = true) {
  Call call{};
  call.x_signed = integer(0, 1);
  call.w_signed = integer(0, 2) > 0;
  call.per_column = integer(0, 1);
  call.output = integer(0, 3);
  if (integer(0, 2)) call.x_zero = bytes(1);
  if (weight_zeros && integer(0, 1)) {
    call.w_zeros_per_column = integer(0, 1);
    call.w_zero = bytes(call.w_zeros_per_column ? columns : 1);
  } else if (!call.w_signed)
    call.w_zero = {128};
  if (call.output == 0) return call;
  call.x_scale = {uniform(0.001f, 0.02f)};
  for (int64_t i = 0; i < (call.per_column ? columns : 1); i++) call.w_scale.push_back(uniform(0.001f, 0.02f));
  if (call.output > 1) {
    call.y_scale = {uniform(0.05f, 0.5f)};
    if (integer(0, 1)) call.y_zero = bytes(1);
  } else if (integer(0, 1))
    for (int64_t i = 0; i < results; i++) call.residual.push_back(uniform());
  call.bias_float = integer(0, 1);
  if (integer(0, 2))
    for (int64_t i = 0; i < columns; i++) {
      if (call.bias_float) call.bias_f.push_back(uniform());
      else call.bias_i.push_back(integer(-9999, 9999));
    }
  call.activation = integer(0, 4);
  if (call.activation == 2) call.alpha = -0.5f, call.beta = 2;
  if (call.activation == 3) call.alpha = 0.1f;
  return call;
}

template <class T>
espalier::Operand maybe(Memory& memory, const std::vector<T>& data) {
  return data.empty() ? absent : memory.add(data);
}

// Fills the fields that all products have, but for y.
template <class Step>
void set_fields(Step& s, const Call& call, Memory& memory) {
  s.xZero = maybe(memory, call.x_zero);
  s.wZero = maybe(memory, call.w_zero);
  s.wZeros = int(call.w_zero.size());
  s.xScale = maybe(memory, call.x_scale);
  s.wScale = maybe(memory, call.w_scale);
  s.wScales = int(call.w_scale.size());
  s.yScale = maybe(memory, call.y_scale);
  s.yZero = maybe(memory, call.y_zero);
  s.bias = call.bias_float ? maybe(memory, call.bias_f) : maybe(memory, call.bias_i);
  s.biasFloat = call.bias_float;
  s.residual = maybe(memory, call.residual);
  s.xSigned = call.x_signed;
  s.wSigned = call.w_signed;
  s.output = call.output;
  s.activation = call.activation;
  s.alpha = call.alpha;
  s.beta = call.beta;
}

inline int x_zero(const Call& call) { return call.x_zero.empty() ? 0 : value(call.x_zero[0], call.x_signed); }
inline int w_zero(const Call& call, int64_t column) {
  return call.w_zero.empty() ? 0 : value(call.w_zero[call.w_zeros_per_column ? column : 0], call.w_signed);
}

// What a sum becomes, as a double; checked against the result at `at`.
inline bool right(const Call& call, int32_t sum, int64_t column, int64_t at, const uint8_t* y) {
  if (call.output == 0) return load32(y + 4 * at) == sum;
  const double w_scale = call.w_scale[call.per_column ? column : 0], unit = double(call.x_scale[0] * w_scale);
  double real = (double(sum) + (call.bias_i.empty() ? 0 : call.bias_i[column])) * unit;
  if (!call.bias_f.empty()) real += call.bias_f[column];
  if (!call.residual.empty()) real += call.residual[at];
  switch (call.activation) {
    case 1: real = std::fmax(real, 0); break;
    case 2: real = std::fmin(call.beta, std::fmax(real, call.alpha)); break;
    case 3: real = real < 0 ? call.alpha * real : real; break;
    case 4: real = 1 / (1 + std::exp(-real)); break;
  }
  if (call.output == 1) {
    float found;
    std::memcpy(&found, y + 4 * at, 4);
    return near(found, float(real), 1e-4f, 1e-4f);
  }
  const bool is_signed = call.output == 3;
  const double zero = call.y_zero.empty() ? 0 : value(call.y_zero[0], is_signed);
  const double exact = real / call.y_scale[0], least = is_signed ? -128 : 0;
  const auto saturate = [&](double q) { return std::fmin(std::fmax(std::nearbyint(q) + zero, least), least + 255); };
  const int found = value(y[at], is_signed);
  return found == saturate(exact - 1e-3) || found == saturate(exact + 1e-3);  // either side of a tie
}

inline const int result_bytes[] = {4, 4, 1, 1};

inline std::string describe(const Call& call) {
  return std::string(call.x_signed ? "s8" : "u8") + (call.w_signed ? " x s8" : " x u8") + " output " +
         std::to_string(call.output) + " act " + std::to_string(call.activation);
}

}  // namespace check
