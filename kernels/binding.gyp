{
  # One binary, every variant of the processor family: each isa/*.cc has flags of its own and is chosen at load.
  "variables": {
    "flags": ["-std=c++20", "-O3", "-fno-exceptions", "-fno-rtti", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra"],
    "avx2": ["-mavx2", "-mfma", "-mf16c"],
    # GCC 12 warns of variables in its own headers for AVX-512.
    "avx512": ["<@(avx2)", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mprefer-vector-width=512", "-Wno-maybe-uninitialized", "-Wno-uninitialized"],
  },
  "target_defaults": {
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++14", "-std=gnu++20", "-fno-exceptions"],
    "cflags_cc": ["-std=c++20"],
    "xcode_settings": {"CLANG_CXX_LANGUAGE_STANDARD": "c++20", "GCC_ENABLE_CPP_EXCEPTIONS": "YES", "MACOSX_DEPLOYMENT_TARGET": "11.0"},
  },
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {"target_name": "avx2", "type": "static_library", "sources": ["isa/avx2.cc"], "cflags_cc": ["<@(flags)", "<@(avx2)"], "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(flags)", "<@(avx2)"]}},
        {"target_name": "avx512", "type": "static_library", "sources": ["isa/avx512.cc"], "cflags_cc": ["<@(flags)", "<@(avx512)"], "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(flags)", "<@(avx512)"]}},
        {"target_name": "avx512vnni", "type": "static_library", "sources": ["isa/avx512vnni.cc"], "cflags_cc": ["<@(flags)", "<@(avx512)", "-mavx512vnni"], "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(flags)", "<@(avx512)", "-mavx512vnni"]}},
        {"target_name": "amx", "type": "static_library", "sources": ["isa/amx.cc"], "cflags_cc": ["<@(flags)", "<@(avx512)", "-mavx512vnni", "-mamx-tile", "-mamx-int8"], "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(flags)", "<@(avx512)", "-mavx512vnni", "-mamx-tile", "-mamx-int8"]}},
        {"target_name": "espalier", "sources": ["napi/addon.cc", "napi/cpu.cc", "napi/pool.cc"], "dependencies": ["avx2", "avx512", "avx512vnni", "amx"], "cflags_cc": ["-O2", "-fexceptions"]},
      ],
    }],
    ["target_arch=='arm64'", {
      "targets": [
        {"target_name": "neon", "type": "static_library", "sources": ["isa/neon.cc"], "cflags_cc": ["<@(flags)"], "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(flags)"]}},
        {"target_name": "neondotprod", "type": "static_library", "sources": ["isa/neondotprod.cc"], "cflags_cc": ["<@(flags)", "-march=armv8.2-a+dotprod"], "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(flags)", "-march=armv8.2-a+dotprod"]}},
        {"target_name": "espalier", "sources": ["napi/addon.cc", "napi/cpu.cc", "napi/pool.cc"], "dependencies": ["neondotprod", "neon"], "cflags_cc": ["-O2", "-fexceptions"]},
      ],
    }],
  ],
}
