// Which variants of the kernels this processor can run, best first.
#pragma once
#include <vector>

#include "../core/variants.hpp"

namespace espalier {

struct Candidate {
  const Variant* variant;
  bool supported;
};

// All variants in this binary.
const std::vector<Candidate>& candidates();

}  // namespace espalier
