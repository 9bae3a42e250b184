// The kernels for WebAssembly with fixed-width SIMD.
#define ESPALIER_ISA wasm
#include "../kernels.hpp"
#include "../wasm/entry.cc"
