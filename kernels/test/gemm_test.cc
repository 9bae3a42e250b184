// gemm_f32 and pack_gemm_f32 against plain loops: every layout of B, odd and empty sizes, broadcast batches, epilogues,
// unaligned memory, and the same bits for any number of threads.
#include "../gemm.hpp"

#include "check.hpp"

using namespace ESPALIER_ISA;
using Product = espalier::steps::gemm_f32;

namespace {

std::vector<float> numbers(int64_t n) {
  std::vector<float> v(n);
  for (float& x : v) x = check::uniform();
  return v;
}

// A product with everything there is to choose.
struct Case {
  int m, n, k;
  int layout;
  std::vector<int> batch;
  bool share_a, share_b;  // one matrix for the whole batch
  int bias;  // 0 none, 1 a row, 2 a column, 3 a number, 4 a matrix
  bool residual;
  float scale;
  int activation;
  int skew;  // bytes off alignment
  int gap;  // elements between the rows of a, b, y
  std::string name() const {
    return "m " + std::to_string(m) + " n " + std::to_string(n) + " k " + std::to_string(k) + " layout " +
           std::to_string(layout) + " batch " + std::to_string(batch.size()) + " bias " + std::to_string(bias) +
           " residual " + std::to_string(residual) + " act " + std::to_string(activation);
  }
};

int matrices(const Case& t) {
  int count = 1;
  for (int b : t.batch) count *= b;
  return count;
}

void strides(const Case& t, bool shared, int matrix, int32_t* out) {
  for (int i = int(t.batch.size()) - 1; i >= 0; i--) {
    out[i] = shared ? 0 : matrix;
    matrix *= t.batch[i];
  }
}

void test(const Case& t) {
  const int count = matrices(t);
  const int a_stride = t.k + t.gap, y_stride = t.n + t.gap;
  const int b_stride = t.layout == gemm_layout_columns ? t.k + t.gap : t.n + t.gap;
  const int b_rows = t.layout == gemm_layout_columns ? t.n : t.k;
  // The last row of a matrix has no gap behind it, so that steps outside are seen.
  const auto extent = [](int64_t rows, int64_t stride, int64_t length) {
    return rows == 0 || length == 0 ? 0 : (rows - 1) * stride + length;
  };
  const int64_t a_matrix = t.m * int64_t(a_stride), b_matrix = b_rows * int64_t(b_stride), y_matrix = t.m * int64_t(y_stride);
  const int a_count = t.share_a ? 1 : count, b_count = t.share_b ? 1 : count;
  const int b_columns = t.layout == gemm_layout_columns ? t.k : t.n;
  const auto sized = [&](int64_t many, int64_t matrix, int64_t last) { return many == 0 ? 0 : (many - 1) * matrix + last; };
  const auto a = numbers(sized(a_count, a_matrix, extent(t.m, a_stride, t.k)));
  const auto b = numbers(sized(b_count, b_matrix, extent(b_rows, b_stride, b_columns)));
  const auto y = numbers(sized(count, y_matrix, extent(t.m, y_stride, t.n)));
  const auto residual = numbers(y.size());
  const int bias_row = t.bias == 2 ? 1 : t.bias == 4 ? t.n : 0, bias_column = t.bias == 1 || t.bias == 4;
  const int64_t bias_size[] = {0, t.n, t.m, 1, int64_t(t.m) * t.n};
  const auto bias = numbers(bias_size[t.bias]);

  std::vector<float> expected = y;
  const f32v alpha = splat(-0.25f), beta = splat(0.5f);
  for (int q = 0; q < count; q++)
    for (int i = 0; i < t.m; i++)
      for (int j = 0; j < t.n; j++) {
        double sum = 0;
        for (int p = 0; p < t.k; p++) {
          const int64_t b_at = t.layout == gemm_layout_columns ? j * int64_t(b_stride) + p : p * int64_t(b_stride) + j;
          sum += double(a[(t.share_a ? 0 : q) * a_matrix + i * int64_t(a_stride) + p]) *
                 b[(t.share_b ? 0 : q) * b_matrix + b_at];
        }
        const int64_t at = q * y_matrix + i * int64_t(y_stride) + j;
        sum *= t.scale;
        if (t.bias) sum += (t.k % 2 ? -0.5 : 1) * bias[i * int64_t(bias_row) + j * bias_column];
        if (t.residual) sum += residual[at];
        expected[at] = activate(t.activation, splat(float(sum)), alpha, beta)[0];
      }

  std::vector<float> first;
  for (int threads = 1; threads <= 4; threads++) {
    check::Memory memory;
    Product s{};
    s.a = memory.add(a, t.skew);
    s.b = memory.add(b, t.skew);
    s.bias = t.bias ? memory.add(bias, t.skew) : check::absent;
    s.residual = t.residual ? memory.add(residual, t.skew) : check::absent;
    s.y = memory.add(y, t.skew);
    s.scratch = memory.add(std::vector<float>(t.layout == gemm_layout_panels ? 0 : threads * gemm_scratch_floats));
    s.m = t.m, s.n = t.n, s.k = t.k, s.layout = t.layout;
    s.aStride = a_stride, s.bStride = b_stride, s.yStride = y_stride;
    s.biasRow = bias_row, s.biasColumn = bias_column;
    s.scale = t.scale, s.biasScale = t.k % 2 ? -0.5f : 1, s.activation = t.activation, s.alpha = -0.25f, s.beta = 0.5f;
    s.batchRank = int(t.batch.size());
    for (int i = 0; i < s.batchRank; i++) s.batch[i] = t.batch[i];
    strides(t, t.share_a, int(a_matrix), s.aBatch);
    strides(t, t.share_b, int(b_matrix), s.bBatch);
    strides(t, false, int(y_matrix), s.yBatch);
    if (t.layout == gemm_layout_panels) {
      espalier::steps::pack_gemm_f32 pack{};
      pack.x = s.b;
      pack.y = memory.add(std::vector<float>(b_count * gemm_panel_floats(t.k, t.n), 7.0f));
      pack.matrices = b_count, pack.k = t.k, pack.n = t.n;
      pack.matrixStride = int(b_matrix);
      pack.rowStride = b_stride, pack.columnStride = 1;
      check::run(memory, threads, [&](const Context& c) { pack_gemm_f32(pack, c); });
      s.b = pack.y;
      strides(t, t.share_b, int(gemm_panel_floats(t.k, t.n)), s.bBatch);
    }
    check::run(memory, threads, [&](const Context& c) { gemm_f32(s, c); });
    const float* found = memory.at<float>(s.y);
    if (threads == 1) {
      check::all_near(found, expected, t.name(), 1e-4f, 2e-6f * float(t.k + 4));
      first.assign(found, found + y.size());
    } else {
      check::that(y.empty() || std::memcmp(found, first.data(), y.size() * sizeof(float)) == 0,
                  t.name() + ": other bits with " + std::to_string(threads) + " threads");
    }
  }
}

void packing() {
  for (int turn = 0; turn < 60; turn++) {
    const int k = check::integer(0, 70), n = check::integer(0, 70), matrices = check::integer(1, 3);
    const bool turned = turn % 3 == 1, loose = turn % 3 == 2;
    const int row = loose ? 2 * n + 1 : turned ? 1 : n, column = loose ? 2 : turned ? k : 1;
    const int matrix = loose ? k * row : k * n;
    const int64_t extent = k * n == 0 ? 0 : (matrices - 1) * int64_t(matrix) + (k - 1) * row + (n - 1) * column + 1;
    const auto x = numbers(extent);
    std::vector<float> expected(matrices * gemm_panel_floats(k, n));
    for (int q = 0; q < matrices; q++)
      for (int p = 0; p < k; p++)
        for (int j = 0; j < n; j++)
          expected[q * gemm_panel_floats(k, n) + (j / gemm_columns * k + p) * gemm_columns + j % gemm_columns] =
              x[q * matrix + p * row + j * column];
    check::Memory memory;
    espalier::steps::pack_gemm_f32 s{};
    s.x = memory.add(x, turn % 4 * 4);
    s.y = memory.add(std::vector<float>(expected.size(), 7.0f));
    s.matrices = matrices, s.k = k, s.n = n, s.matrixStride = matrix, s.rowStride = row, s.columnStride = column;
    check::run(memory, turn % 3 + 1, [&](const Context& c) { pack_gemm_f32(s, c); });
    check::all_near(memory.at<float>(s.y), expected, "pack k " + std::to_string(k) + " n " + std::to_string(n), 0, 0);
  }
}

// Infinities and NaN pass, and what fills up the panels does not reach y.
void specials() {
  const float inf = INFINITY;
  for (int layout = 0; layout < 3; layout++) {
    const int m = 7, n = gemm_columns + 3, k = 5;
    std::vector<float> a(m * k, 1.0f), b(k * n, 2.0f);
    a[0] = NAN, a[k] = inf, a[2 * k] = -inf;
    check::Memory memory;
    Product s{};
    s.a = memory.add(a), s.b = memory.add(b), s.y = memory.add(std::vector<float>(m * n));
    s.bias = s.residual = check::absent;
    s.scratch = memory.add(std::vector<float>(gemm_scratch_floats));
    s.m = m, s.n = n, s.k = k, s.layout = layout, s.aStride = k, s.yStride = n, s.scale = 1;
    s.bStride = layout == gemm_layout_columns ? k : n;
    if (layout == gemm_layout_panels) {
      std::vector<float> panels(gemm_panel_floats(k, n));
      gemm_pack({b.data(), n, 1}, k, n, panels.data());
      s.b = memory.add(panels);
    }
    check::run(memory, 1, [&](const Context& c) { gemm_f32(s, c); });
    std::vector<float> expected(m * n, 10.0f);
    for (int j = 0; j < n; j++) expected[j] = NAN, expected[n + j] = inf, expected[2 * n + j] = -inf;
    check::all_near(memory.at<float>(s.y), expected, "specials, layout " + std::to_string(layout));
  }
}

}  // namespace

int main() {
  packing();
  specials();
  for (int layout = 0; layout < 3; layout++)
    for (int m : {0, 1, 2, 3, 4, gemm_rows, 2 * gemm_rows + 1})
      for (int n : {0, 1, 3, lanes, gemm_columns, 2 * gemm_columns + 5})
        for (int k : {0, 1, 3, lanes + 1, 40}) test({m, n, k, layout, {}, false, false, 0, false, 1, 0, 0, 0});
  // Beyond one block of k, of rows, of scratch.
  for (int layout = 0; layout < 3; layout++) {
    test({5, 19, int(2 * gemm_block_k + 3), layout, {}, false, false, 1, true, 0.5f, 1, 4, 1});
    test({int(gemm_block_floats / 64 + 9), 9, 64, layout, {}, false, false, 4, false, 1, 0, 0, 0});
    test({13, int(gemm_scratch_floats / 32 + 21), 31, layout, {}, false, false, 2, false, 1, 0, 0, 0});
    test({2, 1500, 9, layout, {}, false, false, 1, true, 2, 3, 4, 3});
  }
  for (int i = 0; i < 400; i++) {
    Case t{check::integer(1, 40), check::integer(1, 70), check::integer(0, 90), check::integer(0, 2), {}, false, false,
           check::integer(0, 4), check::integer(0, 1) == 1, check::integer(0, 1) ? 1.0f : 0.125f, check::integer(0, 11),
           4 * check::integer(0, 3), check::integer(0, 5)};
    for (int r = check::integer(0, 3); r > 0; r--) t.batch.push_back(check::integer(i % 20 == 0 ? 0 : 1, 3));
    t.share_a = check::integer(0, 3) == 0;
    t.share_b = check::integer(0, 3) == 0;
    if (i % 7 == 0) t.m = check::integer(1, 3);
    test(t);
  }
  return check::finish("gemm");
}
