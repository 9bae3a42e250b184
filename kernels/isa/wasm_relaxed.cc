// The kernels for WebAssembly with relaxed SIMD: fused multiply-add.
#define ESPALIER_ISA wasm_relaxed
#include "../kernels.hpp"
#include "../wasm/entry.cc"
