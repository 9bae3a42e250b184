// What a file of isa/ gives: one variant of the kernels behind one table entry.
#include "../core/traits.hpp"
#if defined(ESPALIER_BASE)
#include "../kernels_i8.hpp"
#else
#include "../kernels.hpp"
#endif
#include "../core/execute.hpp"
#include "../core/variants.hpp"

namespace espalier {

extern const Variant ESPALIER_NAME(ESPALIER_ISA);
const Variant ESPALIER_NAME(ESPALIER_ISA) = {
    ESPALIER_TEXT(ESPALIER_ISA), ESPALIER_ISA::execute, ESPALIER_ISA::traits,
    int32_t(sizeof(ESPALIER_ISA::traits) / sizeof(int32_t))};

}  // namespace espalier
