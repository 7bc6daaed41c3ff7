#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option.h"

namespace sluice {

/// Whether the value under `key` is a secret: the description says so, or the name does.
bool is_secret_key(const option* described, std::string_view key);

/// The options that describe the object at a path.
struct described_part {
  std::string path;
  const std::vector<option>* options = nullptr;
};

/// Replaces every secret of `document` by `***`: values under secret keys whole, passwords inside addresses.
/// A value that is a reference is shown as `shown_reference` does. Returns the paths of the texts in which
/// something was hidden.
std::vector<std::string> mask_secrets(nlohmann::json& document, const std::vector<described_part>& parts);

}  // namespace sluice
