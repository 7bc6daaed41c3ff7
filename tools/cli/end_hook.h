#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// How long an `--on-end` command may take.
inline constexpr std::chrono::seconds end_hook_timeout{60};

/// Runs `command` through /bin/sh with `input` on its standard input and our standard error as its standard
/// output, in a process group of its own, and waits for it. After `timeout` the group gets SIGTERM, 5 s later
/// SIGKILL. A command that does not read its input is not a failure. `internal` with the reason where it
/// cannot be started, ends with another status than 0, by a signal, or not in time.
result<void> run_end_hook(const std::string& command, std::string_view input,
                          std::chrono::milliseconds timeout = end_hook_timeout);

}  // namespace sluice
