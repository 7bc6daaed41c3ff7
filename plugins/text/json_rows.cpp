#include "plugins/text/json_rows.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "transport/base/text.h"

namespace sluice {
namespace {

namespace od = simdjson::ondemand;

/// The parser keeps several times the longest line it has seen: beyond this it is made anew.
constexpr std::size_t kept_line_bytes = std::size_t{1} << 20;

/// Objects and arrays within one another: a limit on recursion.
constexpr unsigned depth_max = 512;

bool is_json_number(std::string_view text) {
  const auto digits = [&] {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') {
      ++n;
    }
    text.remove_prefix(n);
    return n;
  };
  const auto take = [&](std::string_view any) {
    const bool there = !text.empty() && any.find(text.front()) != std::string_view::npos;
    text.remove_prefix(there ? 1 : 0);
    return there;
  };
  take("-");
  const bool zero = text.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1) || (take(".") && digits() == 0)) {
    return false;
  }
  if (take("eE")) {
    take("+-");
    if (digits() == 0) {
      return false;
    }
  }
  return text.empty();
}

std::string_view without_white(std::string_view text) {
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

/// The token of a scalar; up to the next structural character where it is none.
std::string_view token_of(od::value& value) {
  return without_white(value.raw_json_token());
}

bool check(od::value value, unsigned depth);

/// Walks through an object or an array. The parser checks only what it is asked for, so all of it is asked
/// for: a line is JSON as a whole or not at all.
bool check_members(od::object& object, unsigned depth) {
  for (auto field : object) {
    std::string_view key;
    od::value member;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
        field.value().get(member) != simdjson::SUCCESS || !check(member, depth)) {
      return false;
    }
  }
  return true;
}

bool check_elements(od::array& array, unsigned depth) {
  for (auto element : array) {
    od::value member;
    if (element.get(member) != simdjson::SUCCESS || !check(member, depth)) {
      return false;
    }
  }
  return true;
}

bool check(od::value value, unsigned depth) {
  od::json_type type{};
  if (depth > depth_max || value.type().get(type) != simdjson::SUCCESS) {
    return false;
  }
  std::string_view text;
  od::object object;
  od::array array;
  switch (type) {
    case od::json_type::string:
      return value.get_string().get(text) == simdjson::SUCCESS;
    case od::json_type::number:
      return is_json_number(token_of(value));
    case od::json_type::boolean:
      text = token_of(value);
      return text == "true" || text == "false";
    case od::json_type::null:
      return token_of(value) == "null";
    case od::json_type::object:
      return value.get_object().get(object) == simdjson::SUCCESS && check_members(object, depth + 1);
    case od::json_type::array:
      return value.get_array().get(array) == simdjson::SUCCESS && check_elements(array, depth + 1);
  }
  return false;
}

/// The text of a member's value, or nothing for null. False where it is not JSON.
bool read_value(od::value value, std::optional<std::string_view>& text) {
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return false;
  }
  std::string_view found;
  od::object object;
  od::array array;
  switch (type) {
    case od::json_type::string:
      if (value.get_string().get(found) != simdjson::SUCCESS) {
        return false;
      }
      break;
    case od::json_type::object:
      if (value.get_object().get(object) != simdjson::SUCCESS || !check_members(object, 1) ||
          object.reset().error() != simdjson::SUCCESS || object.raw_json().get(found) != simdjson::SUCCESS) {
        return false;
      }
      found = without_white(found);
      break;
    case od::json_type::array:
      if (value.get_array().get(array) != simdjson::SUCCESS || !check_elements(array, 1) ||
          array.reset().error() != simdjson::SUCCESS || array.raw_json().get(found) != simdjson::SUCCESS) {
        return false;
      }
      found = without_white(found);
      break;
    default:
      found = token_of(value);
      if (!check(value, 0)) {
        return false;
      }
      break;
  }
  text = type == od::json_type::null ? std::nullopt : std::optional(found);
  return true;
}

}  // namespace

/// The members of one line; used again for each.
struct json_rows::parser {
  od::parser simd;
  std::map<std::string, std::vector<std::size_t>, std::less<>> columns_of_key;
  std::vector<std::optional<std::string_view>> texts;  ///< One a column.
  std::vector<bool> seen;

  /// Calls `member(key, text)` for each member of the object on the line, in order, until it refuses one.
  template <class Member>
  dirty_code each_member(std::string_view line, Member member) {
    od::document document;
    od::object object;
    // The window has the padding that the parser wants behind the line.
    const simdjson::padded_string_view padded(line.data(), line.size(),
                                              line.size() + simdjson::SIMDJSON_PADDING);
    if (simd.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return dirty_code::not_json;
    }
    for (auto field : object) {
      std::string_view key;
      od::value value;
      std::optional<std::string_view> text;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
          field.value().get(value) != simdjson::SUCCESS || !read_value(value, text)) {
        return dirty_code::not_json;
      }
      if (const dirty_code code = member(key, text); code != dirty_code::none) {
        return code;
      }
    }
    // There is a place only where something stands behind the object.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? dirty_code::none
                                                                          : dirty_code::not_json;
  }
};

json_rows::json_rows(const text_layout& layout, const bound_columns& bound)
    : layout_(layout), bound_(bound), parsers_(bound.parsers), parser_(std::make_unique<parser>()) {
  for (std::size_t c = 0; c < bound.columns.size(); ++c) {
    if (!bound.columns[c].constant) {
      parser_->columns_of_key[bound.columns[c].key].push_back(c);
    }
  }
  parser_->texts.resize(bound.columns.size());
  parser_->seen.resize(bound.columns.size());
}

json_rows::~json_rows() = default;

std::size_t json_rows::append(const record_window& window, std::size_t first, std::size_t last,
                              batch_builder& to, row_refusal& refusal) {
  const std::uint32_t before = to.rows();
  for (std::size_t r = first; r < last; ++r) {
    const std::string_view line = window.record(r);
    const bool appended = append_row(line, to, refusal);
    if (line.size() > kept_line_bytes) {
      parser_->simd = od::parser();
    }
    if (!appended) {
      for (std::size_t c = 0; c < to.columns(); ++c) {
        to.at(c).truncate(std::min(to.at(c).size(), before + static_cast<std::uint32_t>(r - first)));
      }
      return r;
    }
  }
  return last;
}

bool json_rows::append_row(std::string_view line, batch_builder& to, row_refusal& refusal) {
  parser& p = *parser_;
  std::fill(p.texts.begin(), p.texts.end(), std::nullopt);
  std::fill(p.seen.begin(), p.seen.end(), false);
  const dirty_code code =
      p.each_member(line, [&](std::string_view key, std::optional<std::string_view> text) {
        const auto found = p.columns_of_key.find(key);
        if (found == p.columns_of_key.end()) {
          if (layout_.all_columns || layout_.other_fields_dirty) {
            refusal.value = std::string(key);
            refusal.detail = fmt::format("{} the key {}",
                                         layout_.all_columns ? "the first record lacks" : "no column names",
                                         sluice::quoted(key));
            return dirty_code::too_many_fields;
          }
          return dirty_code::none;
        }
        for (const std::size_t c : found->second) {
          if (p.seen[c]) {
            refusal.column = c;
            return dirty_code::duplicate_key;
          }
          p.seen[c] = true;
          p.texts[c] = text;
        }
        return dirty_code::none;
      });
  if (code != dirty_code::none) {
    refusal.code = code;
    return false;
  }
  for (std::size_t c = 0; c < bound_.columns.size(); ++c) {
    const auto& constant = bound_.columns[c].constant;
    const auto text = constant ? std::optional<std::string_view>(*constant) : p.texts[c];
    if (!text) {
      to.at(c).append_null();
    } else if (const dirty_code bad = parsers_[c].append(*text, to.at(c)); bad != dirty_code::none) {
      refusal = {bad, c, std::string(*text), {}};
      return false;
    }
  }
  return true;
}

std::vector<dirty_field> json_rows::raw_fields(std::string_view record, const record_window&, std::size_t) {
  return {{"line", "", std::string(record)}};
}

std::vector<std::string> json_keys(std::string_view line, dirty_code& code) {
  json_rows::parser p;
  std::vector<std::string> keys;
  code = p.each_member(line, [&](std::string_view key, std::optional<std::string_view>) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      return dirty_code::duplicate_key;
    }
    keys.emplace_back(key);
    return dirty_code::none;
  });
  return keys;
}

}  // namespace sluice
