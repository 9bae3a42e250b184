// Gathers, one-hot encoding and reversed sequences against loops; indices outside their axis are faults.
#include "../gather.hpp"

#include "check.hpp"

namespace k = ESPALIER_ISA;
namespace steps = espalier::steps;

static std::vector<uint8_t> random_bytes(int64_t n) {
  std::vector<uint8_t> bytes(n);
  for (auto& b : bytes) b = uint8_t(check::integer(0, 255));
  return bytes;
}

static espalier::Operand add_indices(check::Memory& memory, const std::vector<int64_t>& indices, int size, int skew = 0) {
  if (size == 8) return memory.add(indices, skew);
  return memory.add(std::vector<int32_t>(indices.begin(), indices.end()), skew / 2);
}

// x [outer, extents..., run], indices [outer or 1, tuples, length].
static void gather(int outer, bool shared, int tuples, std::vector<int> extents, int run, int index_size) {
  steps::gather s{};
  s.indexSize = index_size, s.outer = outer, s.tuples = tuples, s.length = int(extents.size()), s.run = run;
  int stride = 1;
  for (int k = s.length - 1; k >= 0; stride *= extents[k--]) s.extents[k] = extents[k], s.strides[k] = stride;
  s.outerStride = stride;
  s.indexStride = shared ? 0 : tuples * s.length;
  std::vector<int64_t> indices(int64_t(shared ? 1 : outer) * tuples * s.length);
  for (size_t i = 0; i < indices.size(); i++) indices[i] = check::integer(-extents[i % s.length], extents[i % s.length] - 1);
  const auto x = random_bytes(int64_t(outer) * stride * run);
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, 1), s.indices = add_indices(memory, indices, index_size, 8);
    s.y = memory.add(std::vector<uint8_t>(int64_t(outer) * tuples * run), 1);
    const auto fault = check::run(memory, threads, [&](const auto& c) { k::gather(s, c); });
    bool same = fault.code == espalier::no_fault;
    for (int o = 0; o < outer; o++)
      for (int t = 0; t < tuples; t++) {
        int64_t slice = int64_t(o) * stride;
        for (int k = 0; k < s.length; k++) {
          const int64_t index = indices[o * s.indexStride + t * s.length + k];
          slice += (index < 0 ? index + extents[k] : index) * s.strides[k];
        }
        same &= std::equal(x.begin() + slice * run, x.begin() + (slice + 1) * run,
                           memory.at<uint8_t>(s.y) + (int64_t(o) * tuples + t) * run);
      }
    check::that(same, "gather run " + std::to_string(run) + " tuples " + std::to_string(tuples));
  }
}

static void outside(int64_t index, int run) {
  steps::gather s{};
  s.indexSize = 8, s.outer = 1, s.tuples = 3, s.length = 1, s.run = run, s.extents[0] = 4, s.strides[0] = 1;
  check::Memory memory;
  s.x = memory.add(random_bytes(4 * run)), s.indices = memory.add(std::vector<int64_t>{0, index, 3});
  s.y = memory.add(std::vector<uint8_t>(3 * run));
  const auto fault = check::run(memory, 2, [&](const auto& c) { k::gather(s, c); });
  check::that(fault.code == espalier::index_out_of_range && fault.value == index, "an index outside is a fault");
}

static void gather_elements(int size) {
  steps::gather_elements s{};
  s.size = size, s.indexSize = 4, s.rank = 3, s.extent = 9, s.stride = 7;
  const int shape[] = {3, 5, 6}, strides[] = {63, 0, 1};  // of x [3, 9, 7]
  std::copy(shape, shape + 3, s.shape), std::copy(strides, strides + 3, s.xStrides);
  std::vector<int64_t> indices(90);
  for (auto& index : indices) index = check::integer(-9, 8);
  const auto x = random_bytes(3 * 9 * 7 * size);
  check::Memory memory;
  s.x = memory.add(x), s.indices = add_indices(memory, indices, 4);
  s.y = memory.add(std::vector<uint8_t>(90 * size));
  check::run(memory, 3, [&](const auto& c) { k::gather_elements(s, c); });
  bool same = true;
  for (int i = 0; i < 90; i++) {
    const int64_t from = i / 30 * 63 + (indices[i] < 0 ? indices[i] + 9 : indices[i]) * 7 + i % 6;
    same &= std::equal(x.begin() + from * size, x.begin() + (from + 1) * size, memory.at<uint8_t>(s.y) + i * size);
  }
  check::that(same, "gather_elements of size " + std::to_string(size));
}

static void one_hot() {
  steps::one_hot s{};
  s.size = 4, s.indexSize = 8, s.outer = 2, s.depth = 5, s.inner = 3;
  const std::vector<int64_t> indices{0, 4, -1, -5, 5, -6};
  check::Memory memory;
  s.indices = memory.add(indices), s.values = memory.add(std::vector<float>{2, 7});
  s.y = memory.add(std::vector<float>(30));
  check::run(memory, 2, [&](const auto& c) { k::one_hot(s, c); });
  const int hot[] = {0, 4, 4, 0, -1, -1};
  std::vector<float> expected(30, 2);
  for (int i = 0; i < 6; i++)
    if (hot[i] >= 0) expected[i / 3 * 15 + hot[i] * 3 + i % 3] = 7;
  check::all_near(memory.at<float>(s.y), expected, "one_hot");
}

static void reverse_sequences() {
  steps::reverse_sequences s{};
  s.sequences = 2, s.steps = 4, s.sequenceStride = 1, s.stepStride = 2, s.run = 4;
  check::Memory memory;
  s.x = memory.add(std::vector<float>{0, 10, 1, 11, 2, 12, 3, 13}), s.y = memory.add(std::vector<float>(8));
  s.lengths = memory.add(std::vector<int64_t>{3, 0});
  check::run(memory, 3, [&](const auto& c) { k::reverse_sequences(s, c); });
  check::all_near(memory.at<float>(s.y), {2, 10, 1, 11, 0, 12, 3, 13}, "reverse_sequences");
  memory.at<int64_t>(s.lengths)[1] = 5;
  const auto fault = check::run(memory, 1, [&](const auto& c) { k::reverse_sequences(s, c); });
  check::that(fault.code == espalier::bad_length && fault.value == 5, "a length beyond the steps is a fault");
}

int main() {
  for (int run : {0, 1, 2, 3, 4, 8, 12, 16, 17, 100, 5000})
    for (int index_size : {4, 8}) {
      gather(1, true, 9, {30}, run, index_size);
      gather(4, true, 1, {7}, run, index_size);
      gather(3, false, 5, {4, 3, 2}, run, index_size);
      gather(2, false, 0, {4}, run, index_size);
    }
  for (int run : {4, 40}) outside(4, run), outside(-5, run), outside(int64_t(1) << 40, run);
  for (int size : {1, 2, 4, 8, 16}) gather_elements(size);
  one_hot();
  reverse_sequences();
  return check::finish("gather");
}
