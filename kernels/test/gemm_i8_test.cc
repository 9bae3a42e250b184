// Products of 8-bit matrices beside plain loops: odd sizes, none at all, all kinds of operands and results, 1 to 3 threads.
// Compiled for a machine, and with ESPALIER_EMULATE_VNNI, _SDOT or _AMX on top of AVX2 (simd8.hpp).
#include "../gemm_i8.hpp"
#include "sums_i8.hpp"

using namespace check;

static void product(int groups, int m, int n, int k, bool shared, bool transposed, bool extremes = false) {
  Memory memory;
  const int64_t results = int64_t(groups) * m * n;
  const Call call = random_call(n, results);
  const auto x = bytes(int64_t(shared ? 1 : groups) * m * k, extremes), w = bytes(int64_t(groups) * n * k, extremes);
  const int stride = int(round_up(k, dot_depth)) + (integer(0, 1) ? dot_depth : 0), rows = (shared ? 1 : groups) * m;

  espalier::steps::prepare_i8 prepare{};
  prepare.x = memory.add(x, 1);
  prepare.zero = maybe(memory, call.x_zero);
  prepare.isSigned = call.x_signed;
  prepare.rows = rows;
  prepare.columns = k;
  prepare.stride = stride;
  prepare.y = memory.add(std::vector<activation8>(int64_t(rows) * stride, activation8(77)));

  espalier::steps::pack_i8 pack{};
  pack.x = memory.add(w, 1);
  pack.isSigned = call.w_signed;
  pack.groups = groups;
  pack.columns = n;
  pack.taps = 1;
  pack.channels = k;
  pack.groupStride = n * k;
  pack.columnStride = transposed ? k : 1;
  pack.channelStride = transposed ? 1 : n;
  const int64_t panels = (n + dot_columns - 1) / dot_columns;
  const int64_t depth = round_up(round_up(k, dot_depth), dot_run);
  pack.y = memory.add(std::vector<uint8_t>(groups * panels * dot_columns * (depth + 4), 99));

  espalier::steps::gemm_i8 s{};
  set_fields(s, call, memory);
  s.x = prepare.y;
  s.w = pack.y;
  s.y = memory.add(std::vector<uint8_t>(results * result_bytes[call.output], 55), call.output > 1 ? 1 : 0);
  const int threads = integer(1, 3);
  s.scratchBytes = int(32 * depth);
  s.scratch = memory.add(std::vector<uint8_t>(int64_t(threads) * s.scratchBytes));
  s.groups = groups;
  s.m = m;
  s.n = n;
  s.k = k;
  s.xStride = stride;
  s.xGroup = shared ? 0 : m * stride;
  run(memory, threads, [&](const espalier::Context& c) {
    prepare_i8(prepare, c);
    pack_i8(pack, c);
    c.barrier();
    gemm_i8(s, c);
  });

  const uint8_t* y = memory.at<uint8_t>(s.y);
  bool ok = true;
  for (int g = 0; g < groups; g++)
    for (int i = 0; i < m; i++)
      for (int j = 0; j < n; j++) {
        int32_t sum = 0;
        for (int e = 0; e < k; e++) {
          const int64_t at = int64_t(g) * n * k + (transposed ? int64_t(j) * k + e : int64_t(e) * n + j);
          sum += (value(x[(int64_t(shared ? 0 : g) * m + i) * k + e], call.x_signed) - x_zero(call)) *
                 (value(w[at], call.w_signed) - w_zero(call, j));
        }
        ok = ok && right(call, sum, j, (int64_t(g) * m + i) * n + j, y);
      }
  that(ok, "gemm_i8 " + std::to_string(groups) + "x" + std::to_string(m) + "x" + std::to_string(n) + "x" +
               std::to_string(k) + " " + describe(call));
}

int main() {
  for (int i = 0; i < 300; i++)
    product(integer(1, 3), integer(1, 20), integer(1, 70), integer(1, 40), integer(0, 1), integer(0, 1));
  for (int i = 0; i < 10; i++) product(1, integer(40, 140), integer(60, 90), integer(100, 300), false, false, true);
  for (int m : {0, 1})
    for (int n : {0, 1, 17})
      for (int k : {0, 1, 2, 3}) product(1, m, n, k, false, false);
  product(0, 3, 3, 3, false, false);
  return finish("gemm_i8");
}
