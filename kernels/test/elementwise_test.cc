// Element-wise programs against plain loops: types, strides, tails, threads, 16-bit floats, integer rules.
#include "../elementwise.hpp"
#include "check.hpp"

#include <array>
#include <limits>

namespace {

namespace k = ESPALIER_ISA::ew;
using espalier::Context;
using espalier::Operand;

// A step with its program, as plan/elementwise/program.ts encodes it.
struct Program {
  std::vector<int32_t> shape;
  struct Input {
    Operand operand;
    int storage;
    std::vector<int32_t> strides;
  };
  std::vector<Input> inputs;
  std::vector<std::array<int32_t, 3>> constants;
  std::vector<std::array<int32_t, 5>> code;
  int registers = 1;
  bool wide = false;
  Operand y;
  int storage;

  void run(const check::Memory& memory, int threads) const {
    std::vector<int32_t> words(sizeof(espalier::steps::elementwise) / 4 + 512);
    auto* step = reinterpret_cast<espalier::steps::elementwise*>(words.data());
    Operand* x = &step->x0;
    for (int i = 0; i < 8; i++) x[i] = i < int(inputs.size()) ? inputs[i].operand : check::absent;
    step->y = y;
    step->rank = int(shape.size());
    for (size_t i = 0; i < shape.size(); i++) step->shape[i] = shape[i];
    int32_t* p = step->program;
    *p++ = int(inputs.size()), *p++ = int(constants.size()), *p++ = registers, *p++ = wide, *p++ = storage;
    *p++ = code.empty() ? 0 : code.back()[1], *p++ = int(code.size());
    for (auto& input : inputs) {
      *p++ = input.storage;
      for (int32_t stride : input.strides) *p++ = stride;
    }
    for (auto& constant : constants)
      for (int32_t word : constant) *p++ = word;
    for (auto& instruction : code)
      for (int32_t word : instruction) *p++ = word;
    check::run(memory, threads, [&](const Context& c) { ESPALIER_ISA::elementwise(*step, c); });
  }
};

std::vector<float> random_floats(size_t n, float lo = -2, float hi = 2) {
  std::vector<float> v(n);
  for (float& x : v) x = check::uniform(lo, hi);
  return v;
}

// y = gelu(a + bias) * c over [rows, columns], bias by column or by row, any alignment, any thread count.
void broadcasts() {
  for (int rows : {0, 1, 3, 17, 64})
    for (int columns : {1, 2, 7, 16, 129, 512, 1000})
      for (int by : {0, 1, 2}) {
        const int n = rows * columns, skew = check::integer(0, 3) * 4;
        const auto a = random_floats(n), c = random_floats(n), bias = random_floats(by == 0 ? columns : by == 1 ? rows : 1);
        std::vector<float> expected(n);
        for (int i = 0; i < n; i++) {
          const double v = double(a[i]) + bias[by == 0 ? i % columns : by == 1 ? i / columns : 0];
          expected[i] = float(v / 2 * std::erfc(-v / std::sqrt(2.0)) * c[i]);
        }
        for (int threads = 1; threads <= 3; threads++) {
          check::Memory memory;
          Program p;
          p.shape = {rows, columns};
          p.inputs = {{memory.add(a, skew), k::float32, {columns, 1}},
                      {memory.add(bias, skew), k::float32, {by == 1 ? 1 : 0, by == 0 ? 1 : 0}},
                      {memory.add(c), k::float32, {columns, 1}}};
          p.y = memory.add(std::vector<float>(n), skew);
          p.storage = k::float32;
          p.code = {{k::add_f32, 3, 0, 1, 0}, {k::gelu_f32, 3, 3, 0, 0}, {k::mul_f32, 3, 3, 2, 0}};
          p.run(memory, threads);
          check::all_near(memory.at<float>(p.y), expected,
                          "gelu(a + bias) * c, " + std::to_string(rows) + " x " + std::to_string(columns), 1e-5f, 1e-6f);
        }
      }
}

// Three axes, one walked against the order of memory, one input narrow and strided.
void strides() {
  const int a = 5, b = 33, c = 21;
  const auto x = random_floats(a * b * c);
  std::vector<int8_t> z(a * c * 2);
  for (auto& v : z) v = int8_t(check::integer(-128, 127));
  std::vector<float> expected;
  for (int i = 0; i < a; i++)
    for (int j = 0; j < b; j++)
      for (int l = 0; l < c; l++) expected.push_back(x[(l * b + j) * a + i] * z[(i * c + l) * 2]);
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    Program p;
    p.shape = {a, b, c};
    p.inputs = {{memory.add(x), k::float32, {1, a, a * b}}, {memory.add(z), k::int8, {2 * c, 0, 2}}};
    p.y = memory.add(std::vector<float>(expected.size()));
    p.storage = k::float32;
    p.code = {{k::i32_to_f32, 2, 1, 0, 0}, {k::mul_f32, 2, 0, 2, 0}};
    p.run(memory, threads);
    check::all_near(memory.at<float>(p.y), expected, "strides");
  }
}

// One instruction of two arguments over values of one type, in place where the output may lie over the first.
template <class T>
void pairs(const char* name, int instruction, int storage, bool wide, const std::vector<T>& a, const std::vector<T>& b,
           T (*f)(T, T)) {
  check::Memory memory;
  Program p;
  const int n = int(a.size());
  p.shape = {n};
  p.inputs = {{memory.add(a), storage, {1}}, {memory.add(b), storage, {1}}};
  p.y = p.inputs[0].operand;
  p.storage = storage;
  p.wide = wide;
  p.code = {{instruction, 2, 0, 1, 0}};
  p.run(memory, 2);
  for (int i = 0; i < n; i++) {
    const T found = memory.at<T>(p.y)[i], expected = f(a[i], b[i]);
    if (!(found == expected || (found != found && expected != expected)))
      return check::that(false, std::string(name) + ": " + std::to_string(a[i]) + ", " + std::to_string(b[i]) + " gives " +
                                    std::to_string(found) + ", expected " + std::to_string(expected));
  }
  check::that(true, name);
}

template <class T>
void all_pairs(const std::vector<T>& values, std::vector<T>& a, std::vector<T>& b, bool zeros) {
  for (T x : values)
    for (T y : values)
      if (zeros || y != 0) a.push_back(x), b.push_back(y);
}

template <class T, class U>
void integers(int storage, int offset, bool wide) {
  const T least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
  std::vector<T> a, b, c, d;
  all_pairs<T>({0, 1, T(-1), 2, 7, T(-7), 100, T(-100), least, most, T(least + 1)}, a, b, true);
  all_pairs<T>({0, 1, T(-1), 2, 7, T(-7), 100, T(-100), least, most, T(least + 1)}, c, d, false);
  const auto at = [&](int instruction) { return instruction + offset; };
  pairs<T>("add", at(k::add_i32), storage, wide, a, b, [](T x, T y) { return T(U(x) + U(y)); });
  pairs<T>("mul", at(k::mul_i32), storage, wide, a, b, [](T x, T y) { return T(U(x) * U(y)); });
  pairs<T>("min", at(k::min_i32), storage, wide, a, b, [](T x, T y) { return std::min(x, y); });
  pairs<T>("div", at(k::div_i32), storage, wide, c, d,
           [](T x, T y) { return y == T(-1) ? T(0 - U(x)) : T(x / y); });
  pairs<T>("rem", at(k::rem_i32), storage, wide, c, d, [](T x, T y) { return y == T(-1) ? T(0) : T(x % y); });
  pairs<T>("mod", at(k::mod_i32), storage, wide, c, d, [](T x, T y) {
    const T rest = y == T(-1) ? T(0) : T(x % y);
    return rest != 0 && (rest < 0) != (y < 0) ? T(rest + y) : rest;
  });
}

void faults() {
  check::Memory memory;
  Program p;
  p.shape = {4};
  p.inputs = {{memory.add(std::vector<int32_t>{6, 7, 8, 9}), k::int32, {1}},
              {memory.add(std::vector<int32_t>{3, 0, 2, 1}), k::int32, {1}}};
  p.y = memory.add(std::vector<int32_t>(4));
  p.storage = k::int32;
  p.code = {{k::div_i32, 2, 0, 1, 0}};
  p.run(memory, 1);
  const int32_t* y = memory.at<int32_t>(p.y);
  check::that(y[0] == 2 && y[1] == 0 && y[2] == 4 && y[3] == 9, "division by zero goes on with the others");
}

void floats() {
  std::vector<float> a, b;
  all_pairs<float>({0, -0.0f, 1, -1, 2.5f, -2.5f, 7, 1e-40f, -1e-40f, 1e30f, 3e38f, 1e-30f, INFINITY, -INFINITY, NAN}, a, b, true);
  for (int i = 0; i < 500; i++) a.push_back(std::exp(check::uniform(-60, 60))), b.push_back(std::exp(check::uniform(-60, 60)));
  pairs<float>("fmod", k::fmod_f32, k::float32, false, a, b, [](float x, float y) { return std::fmod(x, y); });
  pairs<float>("max", k::max_f32, k::float32, false, a, b, [](float x, float y) {
    return std::isnan(x) || std::isnan(y) ? NAN : std::max(x, y);
  });
  pairs<float>("min", k::min_f32, k::float32, false, a, b, [](float x, float y) {
    return std::isnan(x) || std::isnan(y) ? NAN : std::min(x, y);
  });
}

// Elements of one type to another, through a conversion or none.
template <class From, class To>
void convert(const char* name, int from, int to, int instruction, const std::vector<From>& x, const std::vector<To>& expected,
             bool wide = false) {
  check::Memory memory;
  Program p;
  p.shape = {int(x.size())};
  p.inputs = {{memory.add(x), from, {1}}};
  p.y = memory.add(std::vector<To>(x.size()));
  p.storage = to;
  p.wide = wide;
  if (instruction >= 0) p.code = {{instruction, 1, 0, 0, 0}};
  p.run(memory, 1);
  for (size_t i = 0; i < x.size(); i++) {
    const To found = memory.at<To>(p.y)[i];
    check::that(found == expected[i], std::string(name) + ": " + std::to_string(double(x[i])) + " gives " +
                                          std::to_string(double(found)) + ", expected " + std::to_string(double(expected[i])));
  }
}

void conversions() {
  const float inf = INFINITY;
  convert<float, int64_t>("float32 to int64", k::float32, k::int64, k::f32_to_i64,
                          {1.9f, -1.9f, NAN, inf, -inf, 9.3e18f, 1e30f, 4e9f},
                          {1, -1, 0, INT64_MAX, INT64_MIN, int64_t(uint64_t(9.3e18f)), 0, 4000000000}, true);
  convert<float, int32_t>("float32 to int32", k::float32, k::int32, k::f32_to_i32, {1.9f, -1.9f, NAN, 4294967296.f + 512, -2147483648.f},
                          {1, -1, 0, 512, INT32_MIN});
  convert<float, uint8_t>("float32 to uint8", k::float32, k::uint8, k::f32_to_i32, {255.9f, 256, -1, 300}, {255, 0, 255, 44});
  convert<int64_t, float>("int64 to float32", k::int64, k::float32, k::i64_to_f32, {16777217, 16777219, -5, INT64_MAX},
                          {16777216, 16777220, -5, 9223372036854775808.f}, true);
  convert<uint32_t, uint32_t>("uint32", k::uint32, k::uint32, -1, {0, 4000000000u}, {0, 4000000000u}, true);
  // Every float16 there and back.
  std::vector<uint16_t> halves;
  for (uint32_t h = 0; h < 65536; h++)
    if ((h & 0x7fff) <= 0x7c00) halves.push_back(uint16_t(h));
  convert<uint16_t, uint16_t>("float16", k::float16, k::float16, -1, halves, halves);
  std::vector<float> values{65504, 65519, 65520, 1e-8f, 2.98e-8f, 2.99e-8f, 6.1e-5f, 1.00048828125f, 1.00146484375f, -inf};
  std::vector<uint16_t> expected{0x7bff, 0x7bff, 0x7c00, 0, 0, 1, 0x0400, 0x3c00, 0x3c02, 0xfc00};
  expected[6] = uint16_t(std::lround(6.1e-5f * 16777216));
  convert<float, uint16_t>("float32 to float16", k::float32, k::float16, -1, values, expected);
  convert<float, uint16_t>("float32 to bfloat16", k::float32, k::bfloat16, -1, {1, 1.00390625f, 1.01171875f, inf, 3.4e38f},
                           {0x3f80, 0x3f80, 0x3f82, 0x7f80, 0x7f80});
}

void instructions_of_one() {
  const auto x = random_floats(1003, 0.01f, 0.99f);
  const std::pair<int, double (*)(double)> list[] = {
      {k::neg_f32, [](double v) { return -v; }},       {k::sqrt_f32, std::sqrt},
      {k::reciprocal_f32, [](double v) { return 1 / v; }}, {k::exp_f32, std::exp},
      {k::log_f32, std::log},                          {k::erf_f32, std::erf},
      {k::floor_f32, std::floor},                      {k::ceil_f32, std::ceil},
      {k::round_f32, std::nearbyint},                  {k::sin_f32, std::sin},
      {k::cos_f32, std::cos},                          {k::tan_f32, std::tan},
      {k::asin_f32, std::asin},                        {k::acos_f32, std::acos},
      {k::atan_f32, std::atan},                        {k::sinh_f32, std::sinh},
      {k::cosh_f32, std::cosh},                        {k::asinh_f32, std::asinh},
      {k::atanh_f32, std::atanh},                      {k::expm1_f32, std::expm1},
      {k::tanh_f32, std::tanh},                        {k::sign_f32, [](double) { return 1.0; }},
  };
  for (auto [instruction, f] : list) {
    check::Memory memory;
    Program p;
    p.shape = {int(x.size())};
    p.inputs = {{memory.add(x), k::float32, {1}}};
    p.y = memory.add(std::vector<float>(x.size()));
    p.storage = k::float32;
    p.code = {{instruction, 1, 0, 0, 0}};
    p.run(memory, 2);
    std::vector<float> expected;
    for (float v : x) expected.push_back(float(f(v)));
    check::all_near(memory.at<float>(p.y), expected, "instruction " + std::to_string(instruction), 1e-6f, 1e-7f);
  }
}

void selects() {
  const std::vector<uint8_t> holds{1, 0, 0, 1, 1};
  check::Memory memory;
  Program p;
  p.shape = {5};
  p.inputs = {{memory.add(holds), k::boolean, {1}}, {memory.add(std::vector<float>{NAN}), k::float32, {0}},
              {memory.add(std::vector<float>{1, 2, 3, 4, 5}), k::float32, {1}}};
  p.constants = {{0, 0x40000000, 0}};  // 2
  p.registers = 2;
  p.y = memory.add(std::vector<float>(5));
  p.storage = k::float32;
  p.code = {{k::mul_f32, 4, 2, 3, 0}, {k::select_f32, 4, 0, 1, 4}};
  p.run(memory, 1);
  check::all_near(memory.at<float>(p.y), {NAN, 4, 6, NAN, NAN}, "select");
}

}  // namespace

int main() {
  broadcasts();
  strides();
  integers<int32_t, uint32_t>(k::int32, 0, false);
  integers<int64_t, uint64_t>(k::int64, k::add_i64 - k::add_i32, true);
  faults();
  floats();
  conversions();
  instructions_of_one();
  selects();
  return check::finish("elementwise");
}
