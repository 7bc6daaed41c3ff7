#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "transport/base/result.h"

namespace sluice {

/// One value of a split's description or a cursor. Exact: decimals, dates and times are carried as the text
/// or number the plugin that made them wants back; the core writes them and never interprets them.
struct scalar {
  /// Null, boolean, int64, uint64, float64, UTF-8 text, or bytes.
  struct bytes {
    std::string value;
    friend auto operator<=>(const bytes&, const bytes&) = default;
  };
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, bytes> value;
  friend bool operator==(const scalar&, const scalar&) = default;
};

struct named_scalar {
  std::string name;
  scalar value;
  friend bool operator==(const named_scalar&, const named_scalar&) = default;
};

/// The description of a split, or a cursor: a short list. Order counts.
using scalar_list = std::vector<named_scalar>;

/// Where in a split a restart may begin. Made by a reader, handed back to `reader::open`.
using cursor = scalar_list;

/// The value by name, nullptr where there is none.
const scalar* find(const scalar_list& list, std::string_view name);

/// JSON text with one key a scalar: `{"path":"a.csv","from":{"u":"18446744073709551615"}}`. Strings,
/// booleans, null and int64 are plain; uint64 is `{"u":"…"}`, float64 `{"f":"…"}` (17 digits; NaN and
/// infinities by their bits, `0x7ff8000000000000`), bytes `{"b":"base64"}`, and text that is not UTF-8 cannot
/// occur. Stable: stored in destinations.
std::string to_json(const scalar_list& list);
/// Inverse of `to_json`; `internal` where the text is not of that form. At most 64 KiB are accepted.
result<scalar_list> scalars_from_json(std::string_view json);

}  // namespace sluice
