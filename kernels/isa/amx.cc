// The kernels for AVX-512 with amx.
#define ESPALIER_ISA amx
#define ESPALIER_BASE avx512
#include "variant.hpp"
