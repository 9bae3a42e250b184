// Products of few rows with sparse weights beside plain loops and, to the bit, beside the dense kernels: odd sizes, none at
// all, panels that are empty or full, 1 to 3 threads. Compiled for a machine, and with ESPALIER_EMULATE_VNNI, _SDOT or _AMX on
// top of AVX2 (simd8.hpp).
#include <algorithm>

#include "../gemm.hpp"
#include "../some_of_four_i8.hpp"
#include "sums_i8.hpp"

using namespace check;

namespace {

// The packed form (sparse/bitmask.ts) of w [k, n] in words of `width` numbers, with the sums of columns behind, made plainly.
template <class T, class Step>
std::vector<uint8_t> pack_bitmask(const std::vector<T>& w, int n, int k, int width, Step& s, std::vector<int32_t>& sums) {
  const int64_t steps = k / width, panels = (n + bitmask_columns - 1) / bitmask_columns;
  std::vector<uint8_t> bits(panels * steps * bitmask_bytes);
  std::vector<uint32_t> starts;
  sums.assign(panels * bitmask_columns, 0);
  std::vector<T> values;
  for (int64_t panel = 0; panel < panels; panel++) {
    starts.push_back(uint32_t(values.size() / width));
    for (int64_t step = 0; step < steps; step++)
      for (int64_t j = 0; j < bitmask_columns; j++) {
        const int64_t column = panel * bitmask_columns + j;
        T word[4] = {};
        bool any = false;
        for (int64_t i = 0; i < width; i++) {
          const T value = column < n ? w[(step * width + i) * n + column] : T(0);
          sums[column] += int32_t(value);
          any = any || value != 0;
          // Pairs take turns where pairs are multiplied.
          word[width == 4 && dot_depth == 2 ? i % 2 * 2 + i / 2 : i] = value;
        }
        if (!any) continue;
        bits[(panel * steps + step) * bitmask_bytes + j / 8] |= uint8_t(1 << j % 8);
        values.insert(values.end(), word, word + width);
      }
  }
  s.words = int(values.size() / width);
  values.resize(values.size() + bitmask_overrun / sizeof(T));
  std::vector<uint8_t> packed;
  const auto add = [&](const void* data, size_t size) {
    const size_t at = (packed.size() + 3) / 4 * 4;
    packed.resize(at + size);
    if (size) std::memcpy(packed.data() + at, data, size);
    return int32_t(at);
  };
  add(bits.data(), bits.size());
  s.startsAt = add(starts.data(), starts.size() * 4);
  s.wordsAt = add(values.data(), values.size() * sizeof(T));
  return packed;
}

// Numbers [k, n] of which a share is kept, `width` along k together; columns that are empty, and full ones.
template <class T>
std::vector<T> random_weights(int n, int k, int width, int percent, const std::function<T()>& number) {
  std::vector<T> w(int64_t(n) * k);
  for (int64_t i = 0; i < k; i += width)
    for (int64_t j = 0; j < n; j++) {
      const int here = j / 16 % 5 == 3 ? 0 : j / 16 % 5 == 4 ? 100 : percent;
      const bool kept = integer(0, 99) < here;
      for (int64_t e = i; kept && e < i + width; e++) w[e * n + j] = number();
    }
  return w;
}

std::string sizes(int m, int n, int k) {
  return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

void product_f32(int m, int n, int k, int percent) {
  Memory memory;
  const int stride = k + integer(0, 3), threads = integer(1, 3);
  std::vector<float> x(int64_t(m) * stride), bias(n), residual(int64_t(m) * n);
  for (auto* v : {&x, &bias, &residual})
    for (auto& e : *v) e = uniform();
  const auto w = random_weights<float>(n, k, 1, percent, [] { return uniform(); });
  const std::vector<float> nothing(int64_t(m) * n, 7);
  espalier::steps::bitmask_f32 s{};
  std::vector<int32_t> sums;
  s.x = memory.add(x);
  s.w = memory.add(pack_bitmask(w, n, k, 1, s, sums));
  s.bias = integer(0, 1) ? memory.add(bias) : absent;
  s.residual = integer(0, 1) ? memory.add(residual) : absent;
  s.y = memory.add(nothing);
  s.m = m;
  s.n = n;
  s.k = k;
  s.xStride = stride;
  s.activation = integer(0, 1);
  espalier::steps::pack_gemm_f32 pack{};
  pack.x = memory.add(w);
  pack.y = memory.add(std::vector<float>((n + gemm_columns - 1) / gemm_columns * gemm_columns * int64_t(k)));
  pack.matrices = 1;
  pack.k = k;
  pack.n = n;
  pack.rowStride = n;
  pack.columnStride = 1;
  espalier::steps::gemm_f32 dense{};
  dense.a = s.x;
  dense.b = pack.y;
  dense.bias = s.bias;
  dense.residual = s.residual;
  dense.y = memory.add(nothing);
  dense.scratch = absent;
  dense.m = m;
  dense.n = n;
  dense.k = k;
  dense.aStride = stride;
  dense.yStride = n;
  dense.biasColumn = 1;
  dense.scale = dense.biasScale = 1;
  dense.activation = s.activation;
  run(memory, threads, [&](const espalier::Context& c) {
    pack_gemm_f32(pack, c);
    c.barrier();
    gemm_f32(dense, c);
    bitmask_f32(s, c);
  });
  const float* y = memory.at<float>(s.y);
  that(std::memcmp(y, memory.at<float>(dense.y), nothing.size() * 4) == 0, "bitmask_f32, bits of " + sizes(m, n, k));
  std::vector<float> expected(nothing.size());
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      const int64_t at = int64_t(i) * n + j;
      double sum = 0;
      for (int e = 0; e < k; e++) sum += double(x[int64_t(i) * stride + e]) * w[int64_t(e) * n + j];
      sum += (s.bias.present() ? bias[j] : 0) + (s.residual.present() ? residual[at] : 0);
      expected[at] = float(s.activation == 1 && sum < 0 ? 0 : sum);
    }
  all_near(y, expected, "bitmask_f32 " + sizes(m, n, k), 1e-4f, 1e-4f);
}

// The packed form (sparse/of-four.ts) of w [k, n], which has at most `kept` of every four numbers of a column, made plainly.
std::vector<uint8_t> pack_of_four(const std::vector<int8_t>& w, int n, int k, int kept, espalier::steps::some_of_four_i8& s,
                                  std::vector<int32_t>& sums) {
  const int span = 16 / kept;
  const int64_t steps = k / span, panels = (n + bitmask_columns - 1) / bitmask_columns;
  std::vector<uint8_t> words, places;
  sums.assign(panels * bitmask_columns, 0);
  for (int64_t panel = 0; panel < panels; panel++)
    for (int64_t step = 0; step < steps; step++)
      for (int64_t column = panel * bitmask_columns; column < (panel + 1) * bitmask_columns; column++) {
        uint8_t word[4] = {}, place = 0;
        for (int four = 0, next = 0; four < span / 4; four++, next = four * kept)
          for (int i = 0; i < 4; i++) {
            const int8_t value = column < n ? w[(step * span + four * 4 + i) * n + column] : int8_t(0);
            if (value == 0) continue;
            sums[column] += value;
            place |= uint8_t(i << 2 * next);
            word[dot_depth == 2 ? next % 2 * 2 + next / 2 : next] = uint8_t(value);
            next++;
          }
        words.insert(words.end(), word, word + 4);
        places.push_back(place);
      }
  s.placesAt = int(words.size());
  words.insert(words.end(), places.begin(), places.end());
  s.kept = kept;
  return words;
}

// With kept of every four numbers at most, or, where that is 0, whole fours.
void product_i8(int m, int n, int k, int percent, int kept = 0) {
  Memory memory;
  const int64_t results = int64_t(m) * n;
  const Call call = random_call(n, results, false);
  const uint8_t flip = call.w_signed ? 0 : 0x80;
  const auto x = bytes(int64_t(m) * k);
  auto w = random_weights<int8_t>(n, k, 4, percent, [] { return int8_t(integer(-128, 127)); });
  for (int64_t i = 0; kept > 0 && i < k; i += 4)
    for (int64_t j = 0; j < n; j++) {
      int order[4] = {0, 1, 2, 3};
      std::shuffle(order, order + 4, generator());
      for (int e = kept; e < 4; e++) w[(i + order[e]) * n + j] = 0;
    }
  std::vector<uint8_t> plain(w.size());
  for (size_t i = 0; i < w.size(); i++) plain[i] = uint8_t(w[i]) ^ flip;
  const int stride = int(round_up(k, dot_depth)) + (integer(0, 1) ? dot_depth : 0), threads = integer(1, 3);

  espalier::steps::prepare_i8 prepare{};
  prepare.x = memory.add(x, 1);
  prepare.zero = maybe(memory, call.x_zero);
  prepare.isSigned = call.x_signed;
  prepare.rows = m;
  prepare.columns = k;
  prepare.stride = stride;
  prepare.y = memory.add(std::vector<activation8>(int64_t(m) * stride, activation8(77)));

  espalier::steps::pack_i8 pack{};
  pack.x = memory.add(plain, 1);
  pack.isSigned = call.w_signed;
  pack.groups = 1;
  pack.columns = n;
  pack.taps = 1;
  pack.channels = k;
  pack.columnStride = 1;
  pack.channelStride = n;
  const int64_t panels = (n + dot_columns - 1) / dot_columns, depth = round_up(round_up(k, dot_depth), dot_run);
  pack.y = memory.add(std::vector<uint8_t>(panels * dot_columns * (depth + 4), 99));

  const std::vector<uint8_t> nothing(results * result_bytes[call.output], 55);
  espalier::steps::gemm_i8 dense{};
  set_fields(dense, call, memory);
  dense.x = prepare.y;
  dense.w = pack.y;
  dense.y = memory.add(nothing, call.output > 1 ? 1 : 0);
  dense.scratchBytes = int(32 * depth);
  dense.scratch = memory.add(std::vector<uint8_t>(int64_t(threads) * dense.scratchBytes));
  dense.groups = 1;
  dense.m = m;
  dense.n = n;
  dense.k = k;
  dense.xStride = stride;

  const auto y_at = memory.add(nothing, call.output > 1 ? 1 : 0);
  const auto fill = [&](auto& s, auto pack_weights) {
    set_fields(s, call, memory);
    std::vector<int32_t> sums;
    auto packed = pack_weights(s, sums);
    s.sumsAt = int(packed.size() + 3) / 4 * 4;
    packed.resize(s.sumsAt + 4 * sums.size());
    if (!sums.empty()) std::memcpy(packed.data() + s.sumsAt, sums.data(), 4 * sums.size());
    s.x = prepare.y;
    s.w = memory.add(packed);
    s.y = y_at;
    s.m = m;
    s.n = n;
    s.k = k;
    s.xStride = stride;
  };
  espalier::steps::bitmask_i8 fours{};
  espalier::steps::some_of_four_i8 some{};
  if (kept == 0) fill(fours, [&](auto& s, auto& sums) { return pack_bitmask(w, n, k, 4, s, sums); });
  else fill(some, [&](auto& s, auto& sums) { return pack_of_four(w, n, k, kept, s, sums); });
  run(memory, threads, [&](const espalier::Context& c) {
    prepare_i8(prepare, c);
    pack_i8(pack, c);
    c.barrier();
    gemm_i8(dense, c);
    if (kept == 0) bitmask_i8(fours, c);
    else some_of_four_i8(some, c);
  });

  const uint8_t* y = memory.at<uint8_t>(y_at);
  bool ok = std::memcmp(y, memory.at<uint8_t>(dense.y), nothing.size()) == 0;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      int32_t sum = 0;
      for (int e = 0; e < k; e++)
        sum += (value(x[int64_t(i) * k + e], call.x_signed) - x_zero(call)) * w[int64_t(e) * n + j];
      ok = ok && right(call, sum, j, int64_t(i) * n + j, y);
    }
  that(ok, (kept == 0 ? "bitmask_i8 " : "some_of_four_i8 ") + sizes(m, n, k) + " " + describe(call));
}

}  // namespace

int main() {
  for (int i = 0; i < 300; i++) {
    product_f32(integer(1, 9), integer(1, 150), integer(1, 70), integer(0, 5) * 20);
    product_i8(integer(1, 9), integer(1, 150), 4 * integer(1, 18), integer(0, 5) * 20);
    product_i8(integer(1, 9), integer(1, 150), 16 * integer(1, 6), integer(0, 5) * 20, integer(1, 2));
  }
  for (int i = 0; i < 6; i++) {
    product_f32(integer(1, 8), integer(200, 400), integer(280, 800), 40);
    product_i8(integer(1, 8), integer(200, 400), 4 * integer(70, 200), 40);
  }
  for (int m : {0, 1})
    for (int n : {0, 1, 17})
      for (int k : {0, 4, 8}) {
        product_f32(m, n, k, 50);
        product_i8(m, n, k, 50);
        product_i8(m, n, 4 * k, 50, 1 + m);
      }
  return finish("bitmask");
}
