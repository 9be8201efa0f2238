// dispatch.h - which implementation (path) of the kernels runs, decided once at run time.
//
// Every kernel has a table of paths, row 0 scalar. A set without a row there runs that of the set it extends, and so on
// down to scalar. chosen_isa() is the last set that this CPU supports; QUAVER_FORCE_ISA=NAME picks one, and a name that
// is unknown, or unsupported here, is an Error that lists the valid ones. All paths return the same bits.
//
// A new set is a value of Isa and its row in dispatch.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace quaver {

enum class Isa { kScalar, kAvx2, kAvxVnni, kAvx512Vnni, kNeon, kNeonDot, kNeonI8mm };

std::string_view isa_name(Isa isa);
Isa extended_by(Isa isa);                  // whose paths run where `isa` has none; the smallest sets extend scalar
bool isa_supported(Isa isa) noexcept;      // by this CPU and operating system
std::span<const Isa> all_isas();           // every path that was built, scalar first, fastest last
Isa isa_from_name(std::string_view name);  // Error for unknown or unsupported names
Isa chosen_isa();                          // QUAVER_FORCE_ISA, else the fastest supported
std::string cpu_name();                    // as the CPU reports it, e.g. for bench rows

}  // namespace quaver
