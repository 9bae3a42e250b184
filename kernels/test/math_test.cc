// Vector functions against libm in float64: distance in units of the last place over their range, and the values at
// which functions have no number.
#include "../math/activation.hpp"
#include "../math/power.hpp"
#include "../math/trigonometry.hpp"
#include "check.hpp"

namespace {

using ESPALIER_ISA::f32v;
using ESPALIER_ISA::lanes;
using ESPALIER_ISA::splat;

// Not inlined: the functions are inlined by force, which GCC refuses to do late, through a pointer.
__attribute__((noinline)) float apply(f32v (*f)(f32v), float x) { return f(splat(x))[0]; }

double ulp(double expected) {
  int exponent;
  std::frexp(expected, &exponent);
  return std::ldexp(1.0, std::max(exponent, -125) - 24);
}

// The largest distance over `count` numbers of [lo, hi], evenly spaced and by powers towards zero.
void within(const char* name, f32v (*f)(f32v), double (*g)(double), float lo, float hi, double limit) {
  const int count = 1 << 18;
  double worst = 0;
  float at = 0;
  for (int i = 0; i < count; i += lanes) {
    float x[lanes], y[lanes];
    for (int l = 0; l < lanes; l++) {
      const double part = double(i + l) / count;
      x[l] = i % (2 * lanes) == 0 ? float(lo + (hi - lo) * part)
                                  : float((i % (4 * lanes) == lanes ? lo : hi) * std::pow(2.0, -40 * part));
    }
    ESPALIER_ISA::store(y, f(ESPALIER_ISA::load(x)));
    for (int l = 0; l < lanes; l++) {
      const double expected = g(x[l]);
      const bool same = float(expected) == y[l] || (std::isnan(expected) && std::isnan(y[l]));
      const double distance = same ? 0 : std::fabs(y[l] - expected) / ulp(expected);
      if (!(distance <= worst)) worst = distance, at = x[l];
    }
  }
  char message[200];
  std::snprintf(message, sizeof message, "%s: %.2f ulp at %.9g (%.9g, expected %.9g)", name, worst, at, apply(f, at), g(at));
  if (std::getenv("VERBOSE")) std::puts(message);
  check::that(worst <= limit, message);
}

void at(const char* name, f32v (*f)(f32v), float x, float expected) {
  const float found = apply(f, x);
  check::that(std::isnan(expected) ? std::isnan(found) : found == expected,
              std::string(name) + "(" + std::to_string(x) + ") is " + std::to_string(found) + ", expected " +
                  std::to_string(expected));
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double mish(double x) { return x * std::tanh(softplus(x)); }
double gelu(double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }
double gelu_tanh(double x) { return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }

// Without a fused multiply-add polynomials lose a little more.
#if defined(__FMA__) || defined(__aarch64__)
constexpr double slack = 0;
#else
constexpr double slack = 1.5;
#endif

void ranges() {
  namespace k = ESPALIER_ISA;
  within("exp", k::exp, std::exp, -87, 88.7f, 1.5 + slack);
  within("exp, subnormal", k::exp, std::exp, -104, -87, 1.5);
  within("exp_flushed", k::exp_flushed, std::exp, -87, 88, 1.5 + slack);
  within("expm1", k::expm1, std::expm1, -20, 88.7f, 3);
  within("log", k::log, std::log, 1e-38f, 3e38f, 1.5 + slack);
  within("log near 1", k::log, std::log, 0.4f, 3, 1.5 + slack);
  within("log, subnormal", k::log, std::log, 1e-44f, 1e-38f, 1.5);
  within("log1p", k::log1p, std::log1p, -0.999f, 100, 3.5 + slack);
  within("erf", k::erf, std::erf, -4.5f, 4.5f, 2);
  within("tanh", k::tanh, std::tanh, -10, 10, 5 + slack);
  within("sigmoid", k::sigmoid, sigmoid, -80, 80, 3);
  within("softplus", k::softplus, softplus, -80, 80, 4);
  within("mish", k::mish, mish, -80, 80, 6);
  within("gelu", k::gelu, gelu, 0, 8, 4 + slack);
  within("gelu below zero", k::gelu, gelu, -3, 0, 32 + slack);
  within("gelu_tanh", k::gelu_tanh, gelu_tanh, -1, 8, 6);
  within("sin", k::sin, std::sin, -8000, 8000, 12);  // at zeros of 1e-5
  within("cos", k::cos, std::cos, -8000, 8000, 12);
  within("sin of large angles", k::sin, std::sin, -3e38f, 3e38f, 2 + slack);
  within("cos of large angles", k::cos, std::cos, -1e6f, 1e6f, 2 + slack);
  within("tan", k::tan, std::tan, -100, 100, 4 + slack);
  within("asin", k::asin, std::asin, -1, 1, 3 + slack);
  within("acos", k::acos, std::acos, -1, 1, 3 + slack);
  within("atan", k::atan, std::atan, -30, 30, 3 + slack);
  within("sinh", k::sinh, std::sinh, -89.4f, 89.4f, 4 + slack);
  within("cosh", k::cosh, std::cosh, -89.4f, 89.4f, 4 + slack);
  within("asinh", k::asinh, std::asinh, -3e38f, 3e38f, 4 + slack);
  within("asinh near zero", k::asinh, std::asinh, -10, 10, 4 + slack);
  within("acosh", k::acosh, std::acosh, 1.001f, 1e12f, 5 + slack);
  within("atanh", k::atanh, std::atanh, -0.9999f, 0.9999f, 4 + slack);
}

void powers() {
  const float values[] = {0.0f,  -0.0f, 1.0f,   -1.0f, 0.5f,    -0.5f,   2.0f,     -2.0f,     3.0f,  -3.0f,
                          2.2f,  -2.2f, 0.333f, 7.0f,  1e-30f,  1e30f,   1e-40f,   16777215,  1e20f, -1e20f,
                          127.3f, -149, 0.999f, 1.001f, INFINITY, -INFINITY, NAN};
  for (float x : values)
    for (float y : values) {
      const float expected = float(std::pow(double(x), double(y))), found = ESPALIER_ISA::pow(splat(x), splat(y))[0];
      check::that(check::near(found, expected, 2e-7f, 2e-45f) && (expected != 0 || std::signbit(found) == std::signbit(expected)),
                  "pow(" + std::to_string(x) + ", " + std::to_string(y) + ") is " + std::to_string(found) +
                      ", expected " + std::to_string(expected));
    }
  for (int i = 0; i < 20000; i++) {
    const float x = std::exp(check::uniform(-20, 20)), y = check::uniform(-4, 4);
    const float expected = float(std::pow(double(x), double(y))), found = ESPALIER_ISA::pow(splat(x), splat(y))[0];
    check::that(check::near(found, expected, 1.5e-7f, 0), "pow of random numbers: " + std::to_string(x) + ", " + std::to_string(y));
  }
}

void ends() {
  namespace k = ESPALIER_ISA;
  for (auto f : {k::sin, k::cos, k::tan}) at("circular", f, INFINITY, NAN), at("circular", f, NAN, NAN);
  at("asin", k::asin, 1.1f, NAN), at("asin", k::asin, NAN, NAN), at("acos", k::acos, -1.1f, NAN);
  at("acos", k::acos, 1, 0), at("atan", k::atan, NAN, NAN), at("atan", k::atan, INFINITY, float(M_PI / 2));
  at("sinh", k::sinh, -INFINITY, -INFINITY), at("sinh", k::sinh, NAN, NAN), at("cosh", k::cosh, -INFINITY, INFINITY);
  at("cosh", k::cosh, NAN, NAN), at("asinh", k::asinh, -INFINITY, -INFINITY), at("asinh", k::asinh, NAN, NAN);
  at("acosh", k::acosh, 0.5f, NAN), at("acosh", k::acosh, INFINITY, INFINITY), at("acosh", k::acosh, 1, 0);
  at("atanh", k::atanh, 1, INFINITY), at("atanh", k::atanh, -1, -INFINITY), at("atanh", k::atanh, 1.5f, NAN);
  const float inf = INFINITY, nan = NAN;
  at("exp", k::exp, nan, nan), at("exp", k::exp, inf, inf), at("exp", k::exp, -inf, 0), at("exp", k::exp, 0, 1);
  at("exp", k::exp, 89, inf), at("exp", k::exp, -1000, 0);
  at("exp_flushed", k::exp_flushed, nan, nan), at("exp_flushed", k::exp_flushed, -inf, 0);
  at("expm1", k::expm1, nan, nan), at("expm1", k::expm1, inf, inf), at("expm1", k::expm1, -inf, -1);
  at("log", k::log, nan, nan), at("log", k::log, inf, inf), at("log", k::log, 0, -inf), at("log", k::log, -1, nan);
  at("log", k::log, -inf, nan), at("log", k::log, -0.0f, -inf), at("log", k::log, 1, 0);
  at("log1p", k::log1p, nan, nan), at("log1p", k::log1p, inf, inf), at("log1p", k::log1p, -1, -inf);
  at("log1p", k::log1p, -2, nan);
  at("erf", k::erf, nan, nan), at("erf", k::erf, inf, 1), at("erf", k::erf, -inf, -1), at("erf", k::erf, 0, 0);
  at("tanh", k::tanh, nan, nan), at("tanh", k::tanh, inf, 1), at("tanh", k::tanh, -inf, -1);
  at("sigmoid", k::sigmoid, nan, nan), at("sigmoid", k::sigmoid, inf, 1), at("sigmoid", k::sigmoid, -inf, 0);
  at("softplus", k::softplus, nan, nan), at("softplus", k::softplus, inf, inf), at("softplus", k::softplus, -inf, 0);
  at("mish", k::mish, nan, nan), at("mish", k::mish, inf, inf);
  at("gelu", k::gelu, nan, nan), at("gelu", k::gelu, inf, inf), at("gelu", k::gelu, 0, 0);
  for (float x : {-2.0f, -5.0f, -8.0f, -1e6f})
    check::that(std::fabs(apply(k::gelu, x) - gelu(x)) < 1e-7, "gelu far below zero: " + std::to_string(x));
}

void activations() {
  using ESPALIER_ISA::activate;
  const double a = 0.3, b = 0.7;
  for (int code = 0; code <= 11; code++) {
    for (float x : {-9.0f, -3.1f, -1.0f, -0.2f, 0.0f, 0.4f, 0.9f, 3.3f, 9.0f}) {
      const double expected[] = {x,
                                 std::max<double>(x, 0),
                                 std::min(b, std::max<double>(x, a)),
                                 x < 0 ? a * x : x,
                                 sigmoid(x),
                                 std::tanh(x),
                                 std::max(0.0, std::min(1.0, a * x + b)),
                                 x * std::max(0.0, std::min(1.0, x / 6 + 0.5)),
                                 x * sigmoid(a * x),
                                 gelu(x),
                                 gelu_tanh(x),
                                 x < 0 ? a * std::expm1(x) : x};
      const float found = activate(code, splat(x), splat(float(a)), splat(float(b)))[0];
      check::that(check::near(found, float(expected[code]), 2e-6f, 1e-7f),
                  "activation " + std::to_string(code) + " of " + std::to_string(x) + " is " + std::to_string(found));
    }
    const float nothing = activate(code, splat(NAN), splat(0.3f), splat(0.7f))[0];
    check::that(std::isnan(nothing), "activation " + std::to_string(code) + " keeps NaN");
  }
}

}  // namespace

int main() {
  ranges();
  powers();
  ends();
  activations();
  return check::finish("math");
}
