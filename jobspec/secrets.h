#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// What stands in place of a secret wherever a job is shown or kept.
inline constexpr std::string_view secret_mask = "***";

/// Whether a key's name says that its value is a secret: `password`, `accessKeySecret`, `security_token`.
/// Errs on the side of hiding.
bool looks_secret(std::string_view key);

/// `text` with the passwords of addresses in it replaced by `***`: `password=` and the like among the
/// properties of a URL, and the password of `scheme://user:password@host`.
std::string mask_addresses(std::string_view text);

}  // namespace sluice
