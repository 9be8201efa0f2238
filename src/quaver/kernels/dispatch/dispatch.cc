#include "quaver/kernels/dispatch/dispatch.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace quaver {
namespace {

constexpr const char* kForceVariable = "QUAVER_FORCE_ISA";

struct IsaRow {
  Isa isa;
  std::string_view name;
  Isa extends;
  bool (*supported)() noexcept;  // by this CPU and operating system; null: no set of this build
};

bool always() noexcept { return true; }
#if defined(__x86_64__)
// __builtin_cpu_supports() also asks whether the operating system saves the registers.
bool has_avx2() noexcept { return __builtin_cpu_supports("avx2") != 0; }
// Leaf 7, subleaf 1, EAX bit 4; the registers are those of AVX2.
bool has_avxvnni() noexcept {
#if defined(QUAVER_AVXVNNI_IN_AVX2)
  return has_avx2();  // avxvnni_products.inc
#endif
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1) != 0;
}
bool has_avx512vnni() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}
#define QUAVER_ON_X86(supported) supported
#else
#define QUAVER_ON_X86(supported) nullptr
#endif
#if defined(__aarch64__)
bool has_dot() noexcept { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
bool has_i8mm() noexcept { return has_dot() && (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0; }
#define QUAVER_ON_ARM(supported) supported
#else
#define QUAVER_ON_ARM(supported) nullptr
#endif

// In the order of Isa: after what a set extends, and the fastest of a processor last.
constexpr IsaRow kRows[]{
    {Isa::kScalar, "scalar", Isa::kScalar, always},
    {Isa::kAvx2, "avx2", Isa::kScalar, QUAVER_ON_X86(has_avx2)},
    {Isa::kAvxVnni, "avxvnni", Isa::kAvx2, QUAVER_ON_X86(has_avxvnni)},
    {Isa::kAvx512Vnni, "avx512vnni", Isa::kAvx2, QUAVER_ON_X86(has_avx512vnni)},
    {Isa::kNeon, "neon", Isa::kScalar, QUAVER_ON_ARM(always)},  // part of every 64-bit ARM
    {Isa::kNeonDot, "neon_dot", Isa::kNeon, QUAVER_ON_ARM(has_dot)},
    {Isa::kNeonI8mm, "neon_i8mm", Isa::kNeonDot, QUAVER_ON_ARM(has_i8mm)},
};

static_assert([] {
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].isa != static_cast<Isa>(i)) return false;
  }
  return true;
}());

const IsaRow& row_of(Isa isa) { return kRows[static_cast<std::size_t>(isa)]; }

constexpr bool is_built(const IsaRow& row) { return row.supported != nullptr; }
constexpr auto kBuilt = [] {
  std::array<Isa, static_cast<std::size_t>(std::ranges::count_if(kRows, is_built))> built{};
  std::size_t count = 0;
  for (const IsaRow& row : kRows) {
    if (is_built(row)) built[count++] = row.isa;
  }
  return built;
}();

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

std::string_view isa_name(Isa isa) { return row_of(isa).name; }

Isa extended_by(Isa isa) { return row_of(isa).extends; }

bool isa_supported(Isa isa) noexcept { return is_built(row_of(isa)) && row_of(isa).supported(); }

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
