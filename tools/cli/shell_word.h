#pragma once

#include <string>

namespace sluice {

/// The text as a shell takes it for one word, for commands in messages: quoted where that is needed.
std::string shell_word(const std::string& text);

}  // namespace sluice
