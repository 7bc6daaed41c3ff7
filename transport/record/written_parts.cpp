#include "transport/record/written_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "transport/base/text.h"

namespace sluice {

std::string to_text(const written_parts& parts) {
  std::string text;
  for (const written_part& part : written_part_list) {
    if (const std::uint64_t count = parts.*part.count; count != 0) {
      text += fmt::format("{}{}={}", text.empty() ? "" : ",", part.name, count);
    }
  }
  return text;
}

result<written_parts> written_parts_from(std::string_view text) {
  written_parts parts;
  for (std::string_view left = text; !left.empty();) {
    const std::string_view one = left.substr(0, left.find(','));
    const std::string_view name = one.substr(0, one.find('='));
    const auto* const known = std::find_if(written_part_list.begin(), written_part_list.end(),
                                           [name](const written_part& p) { return p.name == name; });
    const char* const end = one.data() + one.size();
    std::uint64_t count = 0;
    const bool wrong = known == written_part_list.end() || name.size() == one.size() || [&] {
      const auto read = std::from_chars(one.data() + name.size() + 1, end, count);
      return read.ec != std::errc() || read.ptr != end;
    }() || left.ends_with(',');
    if (wrong) {
      return fail(error_kind::internal, "{} does not say what was made of the records written",
                  in_quotes(text));
    }
    parts.*known->count += count;
    left.remove_prefix(std::min(left.size(), one.size() + 1));
  }
  return parts;
}

}  // namespace sluice
