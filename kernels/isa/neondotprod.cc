// The kernels for Arm NEON with dotprod: the dot product of bytes of Armv8.2.
#define ESPALIER_ISA neondotprod
#define ESPALIER_BASE neon
#include "variant.hpp"
