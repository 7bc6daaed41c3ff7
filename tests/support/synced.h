#pragma once

#include <string>
#include <vector>

namespace sluice::testing {

/// Paths of the files and folders that this process has synced so far, in order. A program that calls this
/// has an `fsync` and an `fdatasync` of its own, which note the path and then do what they are asked;
/// libraries call them, too. Nothing else of what is durable can be seen without taking the power away.
/// Thread-safe.
std::vector<std::string> synced();

}  // namespace sluice::testing
