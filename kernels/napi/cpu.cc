// Looks at the processor once. AMX must also be asked for from the system, per process, before its first use.
#include "cpu.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#endif

namespace espalier {

#if defined(__x86_64__)
extern const Variant variant_avx2;
#if !defined(ESPALIER_AVX2_ONLY)  // for quick builds while working on kernels
extern const Variant variant_avx512;
extern const Variant variant_avx512vnni;
extern const Variant variant_amx;
#endif

namespace {

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

#if !defined(ESPALIER_AVX2_ONLY)
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

bool has_vnni() { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

bool has_amx() {
#if defined(__linux__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!has_vnni() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  const bool tile = d & (1u << 24), int8 = d & (1u << 25);
  constexpr int request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return tile && int8 && syscall(SYS_arch_prctl, request, tile_data) == 0;
#else
  return false;
#endif
}
#endif

}  // namespace
#elif defined(__aarch64__)
extern const Variant variant_neon;
extern const Variant variant_neondotprod;

namespace {

bool has_dotprod() {
#if defined(__linux__)
  return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#elif defined(__APPLE__)
  return true;
#else
  return false;
#endif
}

}  // namespace
#endif

const std::vector<Candidate>& candidates() {
  static const std::vector<Candidate> all = {
#if defined(__x86_64__)
#if !defined(ESPALIER_AVX2_ONLY)
      {&variant_amx, has_amx()},
      {&variant_avx512vnni, has_vnni()},
      {&variant_avx512, has_avx512()},
#endif
      {&variant_avx2, has_avx2()},
#elif defined(__aarch64__)
      {&variant_neondotprod, has_dotprod()},
      {&variant_neon, true},
#endif
  };
  return all;
}

}  // namespace espalier
