// The most that one core of this machine does: fused multiply-adds on registers (GFLOP/s, a multiply-add counts as
// two), and sums over a buffer far larger than the caches (GB/s). Prints "GFLOPS GBS". Compiled by peak.mjs for the
// very machine, so that vectors are as wide as they come.
#include <chrono>
#include <cstdio>
#include <vector>

#if defined(__AVX512F__)
constexpr int kBytes = 64, kChains = 24;
#elif defined(__AVX__)
constexpr int kBytes = 32, kChains = 12;
#else
constexpr int kBytes = 16, kChains = 24;
#endif

typedef float Vector __attribute__((vector_size(kBytes)));
constexpr int kLanes = kBytes / 4;

static double seconds() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Independent chains, enough of them to fill the pipelines: latency times units per cycle is 8 to 10 on today's cores.
static double multiplyAdds(float factor, float term, float *sink) {
  constexpr int kSteps = 1 << 19;
  Vector a = Vector{} + factor, b = Vector{} + term, chains[kChains];
  for (int i = 0; i < kChains; i++) chains[i] = Vector{} + float(i);
  const double start = seconds();
  for (int step = 0; step < kSteps; step++)
#pragma GCC unroll 24
    for (int i = 0; i < kChains; i++) chains[i] = chains[i] * a + b;
  const double time = seconds() - start;
  for (int i = 0; i < kChains; i++) *sink += chains[i][0];
  return 2.0 * kSteps * kChains * kLanes / time / 1e9;
}

static double sums(const std::vector<float> &buffer, float *sink) {
  Vector totals[8] = {};
  const double start = seconds();
  for (size_t i = 0; i + 8 * kLanes <= buffer.size(); i += 8 * kLanes)
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
      Vector v;
      __builtin_memcpy(&v, &buffer[i + j * kLanes], sizeof v);
      totals[j] += v;
    }
  const double time = seconds() - start;
  for (const Vector &total : totals) *sink += total[0];
  return buffer.size() * 4.0 / time / 1e9;
}

int main(int count, char **) {
  volatile float factor = 0.999f, term = 0.001f * count;
  float sink = 0;
  double flops = 0, bytes = 0;
  for (int i = 0; i < 30; i++) {
    const double found = multiplyAdds(factor, term, &sink);
    if (found > flops) flops = found;
  }
  std::vector<float> buffer(size_t(64) << 20, 1.0f);
  for (int i = 0; i < 10; i++) {
    const double found = sums(buffer, &sink);
    if (found > bytes) bytes = found;
  }
  std::printf("%.1f %.1f %c\n", flops, bytes, sink == 0 ? ' ' : '.');
}
