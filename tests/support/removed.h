#pragma once

#include <functional>
#include <string>

namespace sluice::testing {

/// What is called in this process before a file is removed, with its path, on the thread that removes it;
/// nothing: nothing is. A program that calls this has an `unlink` of its own, which calls it and then does
/// what it is asked; libraries call that, too. So a test acts in the moment before.
void before_removal(std::function<void(const std::string& path)> act);

}  // namespace sluice::testing
