// The kernels for Arm NEON, 64-bit.
#define ESPALIER_ISA neon
#include "variant.hpp"
