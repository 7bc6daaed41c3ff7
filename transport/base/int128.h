#pragma once

namespace sluice {

/// 128-bit integers of the compiler; `__extension__` keeps -Wpedantic quiet about them.
__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

}  // namespace sluice
