// What the tests of windowed kernels share: random geometry, and the plain walk over windows.
#pragma once
#include "check.hpp"

namespace check {

struct Window {
  int batch, channels;
  int input[3], output[3], kernel[3], strides[3], dilations[3], pads[3];
};

inline int64_t product(const int (&v)[3]) { return int64_t(v[0]) * v[1] * v[2]; }

inline std::vector<float> random_floats(int64_t n) {
  std::vector<float> v(n);
  for (float& x : v) x = uniform();
  return v;
}

inline Window random_window(int most_channels) {
  Window k;
  const bool flat = integer(0, 2) > 0;
  k.batch = integer(0, 8) == 0 ? 0 : integer(1, 2);
  k.channels = integer(1, most_channels);
  for (int a = 0; a < 3; a++) {
    if (a == 0 && flat) {
      k.kernel[a] = k.strides[a] = k.dilations[a] = k.output[a] = k.input[a] = 1;
      k.pads[a] = 0;
      continue;
    }
    k.kernel[a] = integer(1, 4);
    k.strides[a] = integer(1, 3);
    k.dilations[a] = integer(0, 2) ? 1 : integer(2, 3);
    k.pads[a] = integer(0, 3);
    k.output[a] = integer(1, a == 2 ? 11 : 5);
    const int needed = (k.output[a] - 1) * k.strides[a] + (k.kernel[a] - 1) * k.dilations[a] + 1 - k.pads[a];
    k.input[a] = std::max(1, needed - integer(0, 3) + integer(0, 2));
  }
  return k;
}

// Calls f(tap, input pixel) for the taps of output pixel o; the pixel is -1 on padding, `beyond` when it lies further
// out than `after` says.
template <class F>
void each_tap(const Window& k, int64_t o, const int (&after)[3], const F& f) {
  const int64_t at[3] = {o / k.output[2] / k.output[1], o / k.output[2] % k.output[1], o % k.output[2]};
  for (int64_t t = 0; t < product(k.kernel); t++) {
    const int64_t tap[3] = {t / k.kernel[2] / k.kernel[1], t / k.kernel[2] % k.kernel[1], t % k.kernel[2]};
    int64_t i = 0;
    bool inside = true, beyond = false;
    for (int a = 0; a < 3; a++) {
      const int64_t p = at[a] * k.strides[a] - k.pads[a] + tap[a] * k.dilations[a];
      inside = inside && p >= 0 && p < k.input[a];
      beyond = beyond || p >= k.input[a] + after[a];
      i = i * k.input[a] + p;
    }
    f(t, inside ? i : -1, beyond);
  }
}

template <class S>
void set_window(S& s, const Window& k) {
  s.batch = k.batch;
  s.channels = k.channels;
  for (int i = 0; i < 3; i++) {
    s.input[i] = k.input[i];
    s.output[i] = k.output[i];
    s.kernel[i] = k.kernel[i];
    s.strides[i] = k.strides[i];
    s.dilations[i] = k.dilations[i];
    s.pads[i] = k.pads[i];
  }
}

}  // namespace check
