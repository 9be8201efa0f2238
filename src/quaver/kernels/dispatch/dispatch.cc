#include "quaver/kernels/dispatch/dispatch.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/kernels/dispatch/path_table.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace quaver {
namespace {

constexpr const char* kForceVariable = "QUAVER_FORCE_ISA";

#if defined(__x86_64__)
constexpr std::array kBuilt{Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni};
#elif defined(__aarch64__)
constexpr std::array kBuilt{Isa::kScalar, Isa::kNeon, Isa::kNeonDot};
#else
constexpr std::array kBuilt{Isa::kScalar};
#endif

std::string supported_names() {
  std::vector<std::string> names;
  for (const Isa isa : kBuilt) {
    if (isa_supported(isa)) names.emplace_back(isa_name(isa));
  }
  return join(names, ", ");
}

Isa parse(std::string_view name, std::string_view where) {
  for (const Isa isa : kBuilt) {
    if (isa_name(isa) != name) continue;
    if (isa_supported(isa)) return isa;
    throw_usage(concat(where, "'", name, "' is not supported by this CPU (", cpu_name(),
                       "); choose one of: ", supported_names()));
  }
  throw_usage(concat(where, "'", name, "' is no instruction set of this build; choose one of: ", supported_names()));
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::kScalar: return "scalar";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvx512Vnni: return "avx512vnni";
    case Isa::kNeon: return "neon";
    case Isa::kNeonDot: return "neon_dot";
  }
  return "unknown";
}

// __builtin_cpu_supports() also asks whether the operating system saves the registers.
Isa extended_by(Isa isa) {
  switch (isa) {
    case Isa::kAvx512Vnni: return Isa::kAvx2;
    case Isa::kNeonDot: return Isa::kNeon;
    case Isa::kScalar:
    case Isa::kAvx2:
    case Isa::kNeon: break;
  }
  return Isa::kScalar;
}

bool isa_supported(Isa isa) noexcept {
  switch (isa) {
    case Isa::kScalar: return true;
#if defined(__x86_64__)
    case Isa::kAvx2: return __builtin_cpu_supports("avx2") != 0;
    case Isa::kAvx512Vnni:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
             __builtin_cpu_supports("avx512vnni") != 0;
#elif defined(__aarch64__)
    case Isa::kNeon: return true;  // part of every 64-bit ARM
    case Isa::kNeonDot: return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
    default: return false;
  }
}

std::span<const Isa> all_isas() { return kBuilt; }

Isa isa_from_name(std::string_view name) { return parse(name, "instruction set "); }

Isa chosen_isa() {
  if (const char* forced = std::getenv(kForceVariable); forced != nullptr && *forced != '\0') {
    return parse(forced, concat(kForceVariable, "="));
  }
  return *std::find_if(kBuilt.rbegin(), kBuilt.rend(), isa_supported);
}

std::string cpu_name() {
#if defined(__x86_64__)
  std::array<unsigned, 12> words{};
  for (unsigned leaf = 0; leaf < 3; ++leaf) {
    unsigned* word = &words[4 * leaf];
    if (__get_cpuid(0x80000002u + leaf, word, word + 1, word + 2, word + 3) == 0) return "x86-64";
  }
  std::array<char, sizeof(words) + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof(words));
  std::string name = text.data();
  name.erase(0, name.find_first_not_of(' '));
  name.erase(name.find_last_not_of(' ') + 1);
  return name;
#else
  return "CPU of an unknown name";
#endif
}

}  // namespace quaver
