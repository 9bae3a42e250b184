// The kernels for AVX-512 with avx512vnni.
#define ESPALIER_ISA avx512vnni
#include "variant.hpp"
