// The kernels for AVX-512 with avx512vnni.
#define ESPALIER_ISA avx512vnni
#define ESPALIER_BASE avx512
#include "variant.hpp"
