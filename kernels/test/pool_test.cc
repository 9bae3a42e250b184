// pool_f32, max_pool_i8 and global_pool_f32 against plain loops, NaN and windows on nothing but padding included.
#include "../pool.hpp"

#include <limits>
#include <type_traits>

#include "window.hpp"

using namespace ESPALIER_ISA;
using check::integer;

namespace {

void windows(int round) {
  const check::Window k = check::random_window(integer(0, 1) ? 12 : 70);
  const int64_t ins = check::product(k.input), outs = check::product(k.output), C = k.channels;
  auto x = check::random_floats(k.batch * ins * C);
  const bool largest = integer(0, 1), padding = integer(0, 1);
  if (largest)
    for (float& v : x)
      if (integer(0, 40) == 0) v = NAN;
  espalier::steps::pool_f32 s{};
  check::set_window(s, k);
  s.mode = largest ? 0 : 1;
  s.countPadding = padding;
  for (int a = 0; a < 3; a++) s.padsEnd[a] = integer(0, 3);
  std::vector<float> wanted(k.batch * outs * C);
  for (int64_t n = 0; n < k.batch; n++)
    for (int64_t at = 0; at < outs; at++)
      for (int64_t c = 0; c < C; c++) {
        double sum = 0, best = -INFINITY;
        int count = 0;
        check::each_tap(k, at, s.padsEnd, [&](int64_t, int64_t p, bool beyond) {
          if (padding ? !beyond : p >= 0) count++;
          if (p < 0) return;
          const float v = x[(n * ins + p) * C + c];
          sum += v;
          if (v > best || std::isnan(v)) best = v;
        });
        wanted[(n * outs + at) * C + c] = float(largest ? best : sum / count);
      }
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, 4);
    s.y = memory.add(std::vector<float>(wanted.size(), 7.0f), 4);
    check::run(memory, threads, [&](const Context& c) { pool_f32(s, c); });
    check::all_near(memory.at<float>(s.y), wanted, "pool " + std::to_string(round), 1e-5f, 1e-6f);
  }
}

template <class T>
void bytes(int round) {
  const check::Window k = check::random_window(70);
  const int64_t ins = check::product(k.input), outs = check::product(k.output), C = k.channels;
  const int none[3] = {0, 0, 0};
  std::vector<T> x(k.batch * ins * C), wanted(k.batch * outs * C);
  for (T& v : x) v = T(integer(0, 255));
  for (int64_t n = 0; n < k.batch; n++)
    for (int64_t at = 0; at < outs; at++)
      for (int64_t c = 0; c < C; c++) {
        int best = std::numeric_limits<T>::min();
        check::each_tap(k, at, none, [&](int64_t, int64_t p, bool) {
          if (p >= 0) best = std::max(best, int(x[(n * ins + p) * C + c]));
        });
        wanted[(n * outs + at) * C + c] = T(best);
      }
  espalier::steps::max_pool_i8 s{};
  check::set_window(s, k);
  s.isSigned = std::is_signed_v<T>;
  check::Memory memory;
  s.x = memory.add(x, 1);
  s.y = memory.add(std::vector<T>(wanted.size()), 1);
  check::run(memory, 2, [&](const Context& c) { max_pool_i8(s, c); });
  check::that(wanted.empty() || std::memcmp(memory.at<T>(s.y), wanted.data(), wanted.size()) == 0,
              "byte pool " + std::to_string(round));
}

void whole(int round) {
  const int64_t batch = integer(0, 3), pixels = integer(0, 40), C = integer(1, 90);
  const bool largest = integer(0, 1);
  auto x = check::random_floats(batch * pixels * C);
  if (largest && !x.empty()) x[x.size() / 2] = NAN;
  std::vector<float> wanted(batch * C);
  for (int64_t n = 0; n < batch; n++)
    for (int64_t c = 0; c < C; c++) {
      double sum = 0, best = -INFINITY;
      for (int64_t p = 0; p < pixels; p++) {
        const float v = x[(n * pixels + p) * C + c];
        sum += v;
        if (v > best || std::isnan(v)) best = v;
      }
      wanted[n * C + c] = float(largest ? best : sum / double(pixels));
    }
  espalier::steps::global_pool_f32 s{};
  s.batch = int(batch);
  s.pixels = int(pixels);
  s.channels = int(C);
  s.mode = largest ? 0 : 1;
  s.pieces = integer(1, 3);
  std::vector<float> first;
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, 4);
    s.y = memory.add(std::vector<float>(wanted.size(), 7.0f), 4);
    s.scratch = memory.add(std::vector<float>(batch * s.pieces * C));
    check::run(memory, threads, [&](const Context& c) { global_pool_f32(s, c); });
    const float* y = memory.at<float>(s.y);
    check::all_near(y, wanted, "global pool " + std::to_string(round), 1e-4f, 1e-6f);
    if (threads == 1) first.assign(y, y + wanted.size());
    else check::that(first.empty() || std::memcmp(first.data(), y, first.size() * 4) == 0, "global pool: same bits");
  }
}

}  // namespace

int main() {
  for (int i = 0; i < 400; i++) {
    windows(i);
    bytes<int8_t>(i);
    bytes<uint8_t>(i);
    whole(i);
  }
  return check::finish("pool");
}
