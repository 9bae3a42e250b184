// Attention against plain loops in float64: layouts, masks, windows, shared heads, caches; the same bits for any threads.
#include "../attention.hpp"

#include "check.hpp"

using namespace ESPALIER_ISA;

namespace {

typedef espalier::steps::attention_f32 Step;

struct Case {
  int batch, heads, kv_heads, queries, fresh, past, size, value_size;
  bool by_position;    // bshd instead of bhsd
  bool keys_turned;    // bhds keys
  int left, right;
  int mask_kind;       // 0, 1, 2
  bool mask_per_query;
  int mask_keys;       // 0 for all
  bool lengths;
  bool present;
  float softcap;
};

std::vector<float> random(size_t n) {
  std::vector<float> x(n);
  for (auto& v : x) v = check::uniform(-1, 1);
  return x;
}

void strides(int32_t* s, bool by_position, int heads, int length, int size) {
  s[0] = heads * length * size;
  s[1] = by_position ? size : length * size;
  s[2] = by_position ? heads * size : size;
}

void compare(const Case& t) {
  const int keys = t.past + t.fresh, mask_keys = t.mask_keys ? t.mask_keys : keys;
  Step s{};
  s.batch = t.batch, s.heads = t.heads, s.kvHeads = t.kv_heads, s.queries = t.queries, s.keys = keys, s.past = t.past;
  s.size = t.size, s.valueSize = t.value_size, s.scale = 0.7f, s.softcap = t.softcap, s.left = t.left, s.right = t.right;
  s.maskKind = t.mask_kind, s.maskKeys = mask_keys;
  strides(s.qStrides, t.by_position, t.heads, t.queries, t.size);
  strides(s.kStrides, t.by_position, t.kv_heads, t.fresh, t.size);
  s.kStrides[3] = 1;
  if (t.keys_turned) s.kStrides[0] = t.kv_heads * t.fresh * t.size, s.kStrides[1] = t.fresh * t.size, s.kStrides[2] = 1, s.kStrides[3] = t.fresh;
  strides(s.vStrides, t.by_position, t.kv_heads, t.fresh, t.value_size);
  strides(s.yStrides, t.by_position, t.heads, t.queries, t.value_size);
  const int mask_rows = t.mask_per_query ? t.queries : 1;
  s.maskStrides[0] = mask_rows * mask_keys, s.maskStrides[2] = t.mask_per_query ? mask_keys : 0, s.maskStrides[3] = 1;

  const auto q = random(size_t(t.batch) * t.heads * t.queries * t.size), k = random(size_t(t.batch) * t.kv_heads * t.fresh * t.size);
  const auto v = random(size_t(t.batch) * t.kv_heads * t.fresh * t.value_size);
  const auto past_k = random(size_t(t.batch) * t.kv_heads * t.past * t.size), past_v = random(size_t(t.batch) * t.kv_heads * t.past * t.value_size);
  std::vector<float> mask(size_t(t.batch) * mask_rows * mask_keys);
  std::vector<uint8_t> flags(mask.size());
  for (size_t i = 0; i < mask.size(); i++) {
    flags[i] = check::integer(0, 3) > 0;
    mask[i] = t.mask_kind == 2 ? (flags[i] ? 0 : -INFINITY) : check::integer(0, 5) == 0 ? -INFINITY : check::uniform(-2, 2);
    if (t.mask_kind == 1 && t.mask_per_query && i < size_t(mask_keys)) mask[i] = -INFINITY;  // a query that sees nothing
  }
  std::vector<int64_t> lengths(t.batch);
  for (auto& n : lengths) n = check::integer(0, keys);

  std::vector<float> y(size_t(t.batch) * t.heads * t.queries * t.value_size), present_k, present_v;
  for (int b = 0; b < t.batch; b++)
    for (int h = 0; h < t.heads; h++) {
      const int shared = h / (t.heads / t.kv_heads);
      auto key = [&](int j, int e) {
        return j < t.past ? past_k[((size_t(b) * t.kv_heads + shared) * t.past + j) * t.size + e]
                          : k[size_t(b) * s.kStrides[0] + shared * s.kStrides[1] + (j - t.past) * s.kStrides[2] + e * s.kStrides[3]];
      };
      auto value = [&](int j, int e) {
        return j < t.past ? past_v[((size_t(b) * t.kv_heads + shared) * t.past + j) * t.value_size + e]
                          : v[size_t(b) * s.vStrides[0] + shared * s.vStrides[1] + (j - t.past) * s.vStrides[2] + e];
      };
      if (h % (t.heads / t.kv_heads) == 0)
        for (int j = 0; j < keys; j++) {
          for (int e = 0; e < t.size; e++) present_k.push_back(key(j, e));
          for (int e = 0; e < t.value_size; e++) present_v.push_back(value(j, e));
        }
      for (int i = 0; i < t.queries; i++) {
        std::vector<double> scores(keys);
        double largest = -INFINITY, total = 0;
        const int64_t position = (t.lengths ? lengths[b] - t.queries : t.past) + i;
        for (int j = 0; j < keys; j++) {
          double sum = 0;
          for (int e = 0; e < t.size; e++) sum += double(q[size_t(b) * s.qStrides[0] + h * s.qStrides[1] + i * s.qStrides[2] + e]) * key(j, e);
          sum *= s.scale;
          if (t.softcap != 0) sum = t.softcap * std::tanh(sum / t.softcap);
          if (t.mask_kind) sum += j < mask_keys ? mask[(size_t(b) * mask_rows + (t.mask_per_query ? i : 0)) * mask_keys + j] : -INFINITY;
          if ((t.right >= 0 && j > position + t.right) || (t.left >= 0 && j < position - t.left) || (t.lengths && j >= lengths[b])) sum = -INFINITY;
          scores[j] = sum;
          largest = std::max(largest, sum);
        }
        for (int j = 0; j < keys; j++) total += scores[j] = std::isinf(largest) ? 0 : std::exp(scores[j] - largest);
        for (int e = 0; e < t.value_size; e++) {
          double sum = 0;
          for (int j = 0; j < keys; j++) sum += scores[j] * value(j, e);
          y[size_t(b) * s.yStrides[0] + h * s.yStrides[1] + i * s.yStrides[2] + e] = float(total == 0 ? 0 : sum / total);
        }
      }
    }

  s.scratchFloats = 64 * t.size + (t.value_size + 31) / 32 * 32 * (72 + 80) + 72 * 80;
  const std::string what = "attention " + std::to_string(t.batch) + "x" + std::to_string(t.heads) + "/" + std::to_string(t.kv_heads) +
                           " queries " + std::to_string(t.queries) + " keys " + std::to_string(keys) + " size " +
                           std::to_string(t.size) + "/" + std::to_string(t.value_size) + " mask " + std::to_string(t.mask_kind);
  std::vector<float> bits;
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory m;
    s.q = m.add(q, 4), s.k = m.add(k, 4), s.v = m.add(v, 4);
    s.mask = t.mask_kind == 0 ? check::absent : t.mask_kind == 1 ? m.add(mask, 4) : m.add(flags, 1);
    s.lengths = t.lengths ? m.add(lengths, 8) : check::absent;
    s.pastK = t.past ? m.add(past_k, 4) : check::absent, s.pastV = t.past ? m.add(past_v, 4) : check::absent;
    s.y = m.add(std::vector<float>(y.size(), NAN), 4);
    s.presentK = t.past || t.present ? m.add(std::vector<float>(present_k.size()), 4) : check::absent;
    s.presentV = t.past || t.present ? m.add(std::vector<float>(present_v.size()), 4) : check::absent;
    s.scratch = m.add(std::vector<float>(size_t(threads) * s.scratchFloats, NAN));
    check::run(m, threads, [&](auto& c) { attention_f32(s, c); });
    check::all_near(m.at<float>(s.y), y, what, 1e-4f, 1e-5f);
    if (s.presentK.present()) {
      check::all_near(m.at<float>(s.presentK), present_k, what + ", keys", 0, 0);
      check::all_near(m.at<float>(s.presentV), present_v, what + ", values", 0, 0);
    }
    std::vector<float> found(m.at<float>(s.y), m.at<float>(s.y) + y.size());
    if (threads == 1) bits = found;
    check::that(y.empty() || std::memcmp(bits.data(), found.data(), y.size() * 4) == 0, what + ": the same bits");
  }
}

}  // namespace

int main() {
  for (int i = 0; i < 150; i++) {
    Case t{};
    t.batch = check::integer(1, 2), t.kv_heads = check::integer(1, 3), t.heads = t.kv_heads * check::integer(1, 3);
    t.queries = i % 3 == 0 ? check::integer(0, 4) : check::integer(1, i % 3 == 1 ? 30 : 150);
    t.fresh = i % 7 == 0 ? check::integer(0, 3) : check::integer(1, 170);
    t.past = i % 4 == 0 ? check::integer(1, 150) : 0;
    t.size = i % 2 ? check::integer(1, 70) : 32, t.value_size = i % 2 ? check::integer(1, 70) : 64;
    t.by_position = check::integer(0, 1), t.keys_turned = check::integer(0, 3) == 0;
    t.left = check::integer(0, 4) == 0 ? check::integer(0, 40) : -1;
    t.right = check::integer(0, 2) == 0 ? check::integer(0, 1) * check::integer(0, 20) : -1;
    t.mask_kind = i % 3, t.mask_per_query = check::integer(0, 1);
    t.mask_keys = t.mask_kind && t.past + t.fresh > 1 && check::integer(0, 4) == 0 ? check::integer(1, t.past + t.fresh) : 0;
    t.lengths = t.past == 0 && check::integer(0, 4) == 0;
    t.present = check::integer(0, 3) == 0;
    t.softcap = check::integer(0, 4) == 0 ? 2.f : 0.f;
    compare(t);
  }
  compare({1, 2, 1, 1, 1, 9000, 16, 16, false, false, -1, -1, 0, false, 0, false, false, 0});
  return check::finish("attention");
}
