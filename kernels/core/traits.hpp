// What a variant of the kernels tells the compiler about itself, in the order of plan/target.ts.
#pragma once
#include "../generated/steps.hpp"
#include "../simd8.hpp"

namespace ESPALIER_ISA {

// Tile of the float32 matrix product: rows of A by columns of B held in registers.
#if defined(__AVX512F__)
constexpr int gemm_rows = 12, gemm_columns = 2 * lanes;
#elif defined(__AVX2__)
constexpr int gemm_rows = 6, gemm_columns = 2 * lanes;
#elif defined(__aarch64__)
constexpr int gemm_rows = 8, gemm_columns = 2 * lanes;
#else
constexpr int gemm_rows = 5, gemm_columns = 2 * lanes;
#endif
// Panels of int8 weights: columns side by side, and the elements of a sum that lie together.
constexpr int int8_columns = dot_columns, int8_depth = dot_depth;

constexpr int32_t traits[] = {ESPALIER_LAYOUT, lanes, gemm_rows, gemm_columns, int8_columns, int8_depth};

}  // namespace ESPALIER_ISA
