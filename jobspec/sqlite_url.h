#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// How an address of a SQLite file begins; compared ignoring case.
inline constexpr std::string_view sqlite_url_prefix = "jdbc:sqlite:";

/// The address of the file `path`: `jdbc:sqlite:<path>`, or `jdbc:sqlite:file:<path>`, percent-encoded, of a
/// path that holds a `?`, where parameters would begin, or begins like another form.
std::string sqlite_url_of(std::string_view path);

/// The address with its path, where that is relative, below `folder`; any other text as it is.
std::string sqlite_url_below(std::string_view url, std::string_view folder);

}  // namespace sluice
