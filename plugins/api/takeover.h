#pragma once

#include <chrono>

namespace sluice {

/// `takeover_wait_ms` of delivery.md: how long whoever comes after a session that was lost waits for it to
/// end by itself, with the transaction that it has open.
inline constexpr std::chrono::milliseconds takeover_wait{3000};

}  // namespace sluice
