// Scattered updates against loops in the order of the indices, with many that meet.
#include "../scatter.hpp"

#include "check.hpp"

namespace k = ESPALIER_ISA;
namespace steps = espalier::steps;

static std::vector<float> random_floats(int64_t n) {
  std::vector<float> values(n);
  for (auto& v : values) v = float(check::integer(-8, 8));
  return values;
}

static float reduced(int reduction, float a, float b) {
  switch (reduction) {
    case 1: return a + b;
    case 2: return a * b;
    case 3: return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
    case 4: return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
    default: return b;
  }
}

static void scatter(int reduction, int tuples, int run, std::vector<int> extents) {
  steps::scatter s{};
  s.size = 4, s.indexSize = 8, s.reduction = reduction, s.tuples = tuples, s.length = int(extents.size()), s.run = run;
  int slices = 1;
  for (int k = s.length - 1; k >= 0; slices *= extents[k--]) s.extents[k] = extents[k], s.strides[k] = slices;
  std::vector<int64_t> indices(int64_t(tuples) * s.length);
  for (size_t i = 0; i < indices.size(); i++) indices[i] = check::integer(-extents[i % s.length], extents[i % s.length] - 1);
  const auto data = random_floats(int64_t(slices) * run);
  auto updates = random_floats(int64_t(tuples) * run);
  if (!updates.empty()) updates[0] = NAN;
  auto expected = data;
  for (int t = 0; t < tuples; t++) {
    int64_t slice = 0;
    for (int k = 0; k < s.length; k++) {
      const int64_t index = indices[t * s.length + k];
      slice += (index < 0 ? index + extents[k] : index) * s.strides[k];
    }
    for (int i = 0; i < run; i++)
      expected[slice * run + i] = reduced(reduction, expected[slice * run + i], updates[int64_t(t) * run + i]);
  }
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.indices = memory.add(indices), s.updates = memory.add(updates, 4), s.y = memory.add(data, 4);
    check::run(memory, threads, [&](const auto& c) { k::scatter(s, c); });
    check::all_near(memory.at<float>(s.y), expected, "scatter " + std::to_string(reduction));
  }
}

// y [4, 9, 7] indexed along `axis`; indices and updates of another extent there, and smaller beside it.
static void scatter_elements(int reduction, int axis, int before, int extent, int after) {
  steps::scatter_elements s{};
  const int data_shape[] = {10, 9, 40}, strides[] = {360, 40, 1};
  const int shape[] = {before, extent, after};
  s.size = 4, s.indexSize = 4, s.reduction = reduction, s.rank = 3, s.axis = axis;
  s.extent = data_shape[axis], s.stride = strides[axis];
  for (int i = 0; i < 3; i++) s.shape[i] = shape[i], s.yStrides[i] = i == axis ? 0 : strides[i];
  const int64_t count = int64_t(before) * extent * after;
  std::vector<int32_t> indices(count);
  for (auto& index : indices) index = check::integer(-s.extent, s.extent - 1);
  const auto data = random_floats(3600), updates = random_floats(count);
  auto expected = data;
  for (int64_t i = 0; i < count; i++) {
    const int at[] = {int(i / after / extent), int(i / after % extent), int(i % after)};
    int64_t to = (indices[i] < 0 ? indices[i] + s.extent : indices[i]) * s.stride;
    for (int k = 0; k < 3; k++) to += int64_t(at[k]) * s.yStrides[k];
    expected[to] = reduced(reduction, expected[to], updates[i]);
  }
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.indices = memory.add(indices), s.updates = memory.add(updates), s.y = memory.add(data);
    check::run(memory, threads, [&](const auto& c) { k::scatter_elements(s, c); });
    check::all_near(memory.at<float>(s.y), expected, "scatter_elements along " + std::to_string(axis));
  }
}

static void outside() {
  steps::scatter s{};
  s.size = 1, s.indexSize = 4, s.tuples = 3, s.length = 1, s.run = 2, s.extents[0] = 3, s.strides[0] = 1;
  check::Memory memory;
  s.indices = memory.add(std::vector<int32_t>{1, 3, -4}), s.updates = memory.add(std::vector<uint8_t>{1, 2, 3, 4, 5, 6});
  s.y = memory.add(std::vector<uint8_t>(6));
  const auto fault = check::run(memory, 2, [&](const auto& c) { k::scatter(s, c); });
  check::that(fault.code == espalier::index_out_of_range, "an index outside is a fault");
  check::that(memory.at<uint8_t>(s.y)[2] == 1 && memory.at<uint8_t>(s.y)[5] == 0, "the others are written");
}

int main() {
  for (int reduction = 0; reduction <= 4; reduction++) {
    scatter(reduction, 20, 1, {5, 3});
    scatter(reduction, 7, 33, {6});
    scatter(reduction, 5, 3000, {2});
    scatter(reduction, 0, 4, {2});
    scatter_elements(reduction, 0, 13, 9, 40);
    scatter_elements(reduction, 0, 13, 1, 3);
    scatter_elements(reduction, 1, 10, 20, 33);
    scatter_elements(reduction, 1, 2, 20, 40);
    scatter_elements(reduction, 2, 4, 9, 70);
    scatter_elements(reduction, 2, 4, 0, 70);
  }
  outside();
  return check::finish("scatter");
}
