// A tiny harness for kernel tests: runs a step on 1..n threads over separate blocks of memory, compares, counts failures.
#pragma once
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../core/context.hpp"

namespace espalier {
inline void sleep_while(uint32_t* word, uint32_t value) {
  std::atomic_ref<uint32_t>(*word).wait(value, std::memory_order_acquire);
}
inline void wake_all(uint32_t* word) { std::atomic_ref<uint32_t>(*word).notify_all(); }
}  // namespace espalier

namespace check {

inline int failures = 0;
inline int checks = 0;

inline void that(bool ok, const std::string& message) {
  checks++;
  if (ok) return;
  if (failures++ < 20) std::fprintf(stderr, "FAILED: %s\n", message.c_str());
}

inline int finish(const char* name) {
  std::printf("%s: %d checks, %d failures\n", name, checks, failures);
  return failures == 0 ? 0 : 1;
}

inline std::mt19937& generator() {
  static std::mt19937 g(1);
  return g;
}
inline float uniform(float lo = -1, float hi = 1) { return std::uniform_real_distribution<float>(lo, hi)(generator()); }
inline int integer(int lo, int hi) { return std::uniform_int_distribution<int>(lo, hi)(generator()); }

// Blocks of memory of exactly the size asked for, so that AddressSanitizer sees every step outside; `skew` bytes of
// misalignment.
struct Memory {
  std::vector<uint8_t*> owned;
  std::vector<uint8_t*> spaces;

  ~Memory() {
    for (uint8_t* p : owned) std::free(p);
  }
  template <class T>
  espalier::Operand add(const std::vector<T>& data, int skew = 0) {
    const size_t bytes = data.size() * sizeof(T);
    auto* p = static_cast<uint8_t*>(std::malloc(bytes + skew + (bytes + skew == 0)));
    if (bytes > 0) std::memcpy(p + skew, data.data(), bytes);
    owned.push_back(p);
    spaces.push_back(p + skew);
    return {int32_t(spaces.size() - 1), 0};
  }
  template <class T>
  T* at(espalier::Operand o) const {
    return reinterpret_cast<T*>(spaces[o.place & 0xffffff] + int64_t(o.units) * 64 + ((uint32_t(o.place) >> 24) & 63));
  }
};
inline constexpr espalier::Operand absent{-1, 0};

// Calls `kernel` as a run with so many threads does; gives the first fault.
inline espalier::Fault run(const Memory& memory, int threads, const std::function<void(const espalier::Context&)>& kernel) {
  espalier::Barrier barrier;
  espalier::Fault fault;
  espalier::Tickets tickets;
  std::vector<std::thread> others;
  auto enter = [&](int thread) {
    kernel(espalier::Context{memory.spaces.data(), thread, threads, &barrier, &fault, &tickets});
  };
  for (int t = 1; t < threads; t++) others.emplace_back(enter, t);
  enter(0);
  for (auto& t : others) t.join();
  return fault;
}

// The activations of convolutions, by their codes (math/activation.hpp): none, relu, clip, leaky relu, sigmoid.
inline float plain_activation(int code, float v, float alpha, float beta) {
  if (code == 1) return v < 0 ? 0 : v;
  if (code == 2) return v < alpha ? alpha : v > beta ? beta : v;
  if (code == 3) return v < 0 ? alpha * v : v;
  if (code == 4) return 1 / (1 + std::exp(-v));
  return v;
}

inline bool near(float found, float expected, float relative = 1e-4f, float absolute = 1e-6f) {
  if (std::isnan(expected)) return std::isnan(found);
  if (std::isinf(expected)) return found == expected;
  return std::fabs(found - expected) <= absolute + relative * std::fabs(expected);
}

inline void all_near(const float* found, const std::vector<float>& expected, const std::string& what,
                     float relative = 1e-4f, float absolute = 1e-6f) {
  for (size_t i = 0; i < expected.size(); i++)
    if (!near(found[i], expected[i], relative, absolute))
      return that(false, what + ": element " + std::to_string(i) + " is " + std::to_string(found[i]) + ", expected " +
                             std::to_string(expected[i]));
  that(true, what);
}

}  // namespace check
