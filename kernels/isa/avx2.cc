// The kernels for AVX2, FMA and F16C: x86-64 since about 2013.
#define ESPALIER_ISA avx2
#include "variant.hpp"
