// Strided copies and concatenation against element-wise loops: random shapes, strides of every kind, all sizes.
#include "../copy.hpp"

#include <algorithm>
#include <numeric>

#include "check.hpp"

namespace k = ESPALIER_ISA;
using Step = espalier::steps::copy;

static std::vector<uint8_t> random_bytes(int64_t n) {
  std::vector<uint8_t> bytes(n);
  for (auto& b : bytes) b = uint8_t(check::integer(0, 255));
  return bytes;
}

static int64_t index_of(int64_t flat, const int32_t* shape, const int32_t* strides, int rank) {
  int64_t at = 0;
  for (int i = rank - 1; i >= 0; flat /= shape[i--]) at += flat % shape[i] * strides[i];
  return at;
}

// y is dense in row-major order; `axes` orders the axes of x in memory, of which some repeat or run backwards.
static void random_copy(int size, const std::vector<int>& shape, const std::vector<int>& order, bool repeat, bool reverse) {
  const int rank = int(shape.size());
  Step s{};
  s.size = size;
  s.rank = rank;
  int64_t count = 1;
  for (int i = rank - 1; i >= 0; count *= shape[i--]) s.shape[i] = shape[i], s.yStrides[i] = int32_t(count);
  int64_t extent = 1, lowest = 0;
  for (int i = rank - 1; i >= 0; i--) {
    const int axis = order[i];
    if (repeat && check::integer(0, 2) == 0) continue;
    s.xStrides[axis] = int32_t(extent);
    extent *= std::max(1, shape[axis]) + check::integer(0, 1) * (i < rank - 1);
    if (reverse && check::integer(0, 1) == 0) {
      lowest += int64_t(s.xStrides[axis]) * (std::max(1, shape[axis]) - 1);
      s.xStrides[axis] = -s.xStrides[axis];
    }
  }
  const auto x = random_bytes(extent * size);
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    s.x = memory.add(x, check::integer(0, 1) * size);
    memory.spaces[0] += lowest * size;
    s.y = memory.add(std::vector<uint8_t>(count * size), check::integer(0, 1) * size);
    check::run(memory, threads, [&](const auto& c) { k::copy(s, c); });
    bool same = true;
    for (int64_t i = 0; i < count; i++)
      same &= std::memcmp(memory.at<uint8_t>(s.y) + i * size,
                          x.data() + (lowest + index_of(i, s.shape, s.xStrides, rank)) * size, size) == 0;
    std::string what = "copy size " + std::to_string(size) + " shape";
    for (int extent : shape) what += " " + std::to_string(extent);
    check::that(same, what);
  }
}

static void concat(int size, int rows, const std::vector<int>& runs) {
  const int pitch = std::accumulate(runs.begin(), runs.end(), 0);
  std::vector<std::vector<uint8_t>> parts;
  for (int run : runs) parts.push_back(random_bytes(int64_t(rows) * run * size));
  for (int threads = 1; threads <= 3; threads++) {
    check::Memory memory;
    espalier::steps::concat s{};
    espalier::Operand* inputs[] = {&s.x0, &s.x1, &s.x2, &s.x3, &s.x4, &s.x5, &s.x6, &s.x7};
    for (auto* input : inputs) *input = check::absent;
    for (size_t i = 0; i < runs.size(); i++) *inputs[i] = memory.add(parts[i], size), s.runs[i] = runs[i];
    s.y = memory.add(std::vector<uint8_t>(int64_t(rows) * pitch * size));
    s.size = size, s.rows = rows, s.pitch = pitch;
    check::run(memory, threads, [&](const auto& c) { k::concat(s, c); });
    const uint8_t* y = memory.at<uint8_t>(s.y);
    bool same = true;
    for (int row = 0; row < rows; row++)
      for (size_t i = 0; i < runs.size(); y += runs[i++] * size)
        same &= std::equal(y, y + runs[i] * size, parts[i].begin() + int64_t(row) * runs[i] * size);
    check::that(same, "concat size " + std::to_string(size) + " rows " + std::to_string(rows));
  }
}

int main() {
  for (int size : {1, 2, 4, 8, 16}) {
    for (int round = 0; round < 60; round++) {
      const int rank = check::integer(0, 5);
      std::vector<int> shape(rank), order(rank);
      for (auto& extent : shape) extent = check::integer(rank > 3 ? 1 : 1, rank > 3 ? 5 : rank > 2 ? 20 : 150);
      if (rank > 0 && round % 20 == 0) shape[check::integer(0, rank - 1)] = 0;
      std::iota(order.begin(), order.end(), 0);
      if (round % 3 > 0) std::shuffle(order.begin(), order.end(), check::generator());
      random_copy(size, shape, order, round % 4 == 0, round % 5 == 0);
    }
    random_copy(size, {200, 130}, {1, 0}, false, false);
    random_copy(size, {3, 64, 128}, {0, 2, 1}, false, false);
    random_copy(size, {3, 5000}, {0, 1}, false, false);
    for (int channels : {2, 3, 4, 5}) {
      random_copy(size, {2, 701, channels}, {0, 2, 1}, false, false);
      random_copy(size, {2, channels, 701}, {0, 2, 1}, false, false);
    }
    concat(size, 7, {3, 0, 1, 17});
    concat(size, 1, {1000, 3});
    concat(size, 100, {1, 1, 1, 1, 1, 1, 1, 1});
    concat(size, 0, {4, 4});
  }
  return check::finish("copy");
}
