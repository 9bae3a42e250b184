// Positions picked from tables and triangles of matrices, against loops.
#include "../pad.hpp"

#include "check.hpp"

namespace k = ESPALIER_ISA;
namespace steps = espalier::steps;

static std::vector<uint8_t> random_bytes(int64_t n) {
  std::vector<uint8_t> bytes(n);
  for (auto& b : bytes) b = uint8_t(check::integer(0, 255));
  return bytes;
}

// Picks by `tables` from a dense x of `extents`.
static void pick(int size, const std::vector<int>& extents, const std::vector<std::vector<int>>& tables, bool filled,
                 int repeat = 0) {
  steps::pick_axes s{};
  s.size = size, s.rank = int(extents.size()), s.repeat = repeat;
  std::vector<int32_t> joined;
  int stride = 1, count = 1;
  for (int i = s.rank - 1; i >= 0; stride *= extents[i--]) s.xStrides[i] = stride;
  for (int i = 0; i < s.rank; i++) {
    s.shape[i] = int(tables[i].size());
    count *= s.shape[i];
    joined.insert(joined.end(), tables[i].begin(), tables[i].end());
  }
  const auto& last = tables.back();
  for (int i = 0; i + 1 < int(last.size()); i++) {
    int end = i + 1;
    while (last[i] >= 0 && end < int(last.size()) && last[end] == last[end - 1] + 1) end++;
    if (last[i] >= 0 && end - i > s.to - s.from) s.from = i, s.to = end;
  }
  const bool whole = s.from == 0 && s.to == int(last.size()) && s.to > 0;
  if (whole) joined.resize(joined.size() - last.size());
  const auto x = random_bytes(int64_t(stride) * size), fill = random_bytes(size);
  std::vector<uint8_t> expected;
  for (int i = 0; i < count; i++) {
    int64_t from = 0;
    bool inside = true;
    for (int axis = s.rank - 1, rest = i; axis >= 0; rest /= s.shape[axis--]) {
      const int at = tables[axis][rest % s.shape[axis]];
      inside &= at >= 0;
      from += int64_t(at) * s.xStrides[axis];
    }
    for (int b = 0; b < size; b++) expected.push_back(inside ? x[from * size + b] : filled ? fill[b] : 0);
  }
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, size);
    if (whole) memory.spaces[0] += last[0] * s.xStrides[s.rank - 1] * size;
    s.tables = memory.add(joined), s.y = memory.add(std::vector<uint8_t>(expected.size()), size);
    s.fill = filled ? memory.add(fill) : check::absent;
    check::run(memory, threads, [&](const auto& c) { k::pick_axes(s, c); });
    check::that(std::equal(expected.begin(), expected.end(), memory.at<uint8_t>(s.y)), "pick_axes size " + std::to_string(size));
  }
}

static void triangle(int size, int rows, int columns, int first, int last) {
  steps::triangle s{};
  s.size = size, s.matrices = 3, s.rows = rows, s.columns = columns, s.first = first, s.last = last;
  const auto x = random_bytes(int64_t(3) * rows * columns * size);
  check::Memory memory;
  s.x = memory.add(x), s.y = memory.add(std::vector<uint8_t>(x.size(), 9));
  check::run(memory, 2, [&](const auto& c) { k::triangle(s, c); });
  bool same = true;
  for (int64_t i = 0; i < int64_t(x.size()); i++) {
    const int64_t element = i / size, row = element / columns % rows, column = element % columns;
    const bool kept = column >= row + first && column <= row + last;
    same &= memory.at<uint8_t>(s.y)[i] == (kept ? x[i] : 0);
  }
  check::that(same, "triangle " + std::to_string(first) + " to " + std::to_string(last));
}

int main() {
  std::vector<int> twice;
  for (int i = 0; i < 37; i++) twice.insert(twice.end(), {i, i});
  for (int size : {1, 2, 4, 8, 16}) {
    pick(size, {4, 5}, {{-1, 0, 1, 2, 3, -1}, {-1, -1, 0, 1, 2, 3, 4, -1}}, true);
    pick(size, {4, 5}, {{-1, 0, 1, 2, 3, -1}, {-1, -1, 0, 1, 2, 3, 4, -1}}, false);
    pick(size, {3, 4, 6}, {{0, 1, 2}, {2, 1, 0, 1, 2, 3, 2}, {3, 2, 1, 0, 1, 2, 3, 4, 5, 4}}, false);
    pick(size, {2, 2}, {{1}, {0, 0, 0, 1, 1, 1}}, false);
    pick(size, {2, 3}, {{}, {0, 1}}, false);
    pick(size, {2, 37}, {{0, 0, 1, 1}, twice}, false, 2);
    pick(size, {200}, {{5, 6, 7, 8}}, true);
    triangle(size, 5, 7, 0, 100);
    triangle(size, 7, 5, -100, -2);
    triangle(size, 4, 4, 3, 100);
    triangle(size, 4, 4, 9, 100);
  }
  return check::finish("pad");
}
