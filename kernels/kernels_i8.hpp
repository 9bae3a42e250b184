// The kernel families of 8-bit integers (plan/steps/quantized.ts), in which variants differ that have dot products for them.
#pragma once
#include "bitmask_i8.hpp"
#include "conv_i8.hpp"
#include "gemm_i8.hpp"
#include "quantize.hpp"
#include "some_of_four_i8.hpp"
#include "sparse_i8.hpp"
