// The kernels for AVX-512 F, BW, VL, DQ.
#define ESPALIER_ISA avx512
#include "variant.hpp"
