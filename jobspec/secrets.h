#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

/// What stands in place of a secret wherever a job is shown or kept.
inline constexpr std::string_view secret_mask = "***";

/// Whether a key's name says that its value is a secret: `password`, `accessKeySecret`, `security_token`.
/// Errs on the side of hiding.
bool looks_secret(std::string_view key);

/// Where the account of `address`, which begins behind the `//`, ends: at its `@`, `npos` where it has none.
/// That of a password that was to be written with `%2F` and the like stands behind a `/`, `?` or `#`; one in
/// the value of a property is none.
std::size_t account_end(std::string_view address);

/// `text` with the passwords of addresses in it replaced by `***`: `password=` and the like among the
/// properties of a URL, and the password of `scheme://user:password@host` and of Oracle's
/// `jdbc:oracle:thin:user/password@host`.
std::string mask_addresses(std::string_view text);

/// A text that may repeat any part of a job or of the registry, for a message: what `mask_addresses` hides,
/// and, wherever they stand, `password=…`, `"password": …` and `user:…@host`. A text in quotes may be escaped
/// already. Hides too much rather than too little, so not for what is kept or copied.
std::string hide_secrets(std::string_view text);

/// `value` for a message: quoted, without what `hide_secrets` hides.
std::string shown_text(std::string_view value);

}  // namespace sluice
