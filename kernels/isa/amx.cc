// The kernels for AVX-512 with amx.
#define ESPALIER_ISA amx
#include "variant.hpp"
