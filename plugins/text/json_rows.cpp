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

/// In so many records a reader looks at keys that no column wants.
constexpr std::uint64_t records_looked_at = 1000;

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

using simdjson::error_code;

error_code check(od::value value, unsigned depth);

/// Walks through an object or an array. The parser checks only what it is asked for, so all of it is asked
/// for: a line is JSON as a whole or not at all.
error_code check_members(od::object& object, unsigned depth) {
  for (auto field : object) {
    std::string_view key;
    od::value member;
    if (error_code e = field.unescaped_key().get(key); e != simdjson::SUCCESS) {
      return e;
    }
    if (error_code e = field.value().get(member); e != simdjson::SUCCESS) {
      return e;
    }
    if (error_code e = check(member, depth); e != simdjson::SUCCESS) {
      return e;
    }
  }
  return simdjson::SUCCESS;
}

error_code check_elements(od::array& array, unsigned depth) {
  for (auto element : array) {
    od::value member;
    if (error_code e = element.get(member); e != simdjson::SUCCESS) {
      return e;
    }
    if (error_code e = check(member, depth); e != simdjson::SUCCESS) {
      return e;
    }
  }
  return simdjson::SUCCESS;
}

error_code check(od::value value, unsigned depth) {
  od::json_type type{};
  if (depth > depth_max) {
    return simdjson::DEPTH_ERROR;
  }
  if (error_code e = value.type().get(type); e != simdjson::SUCCESS) {
    return e;
  }
  std::string_view text;
  od::object object;
  od::array array;
  switch (type) {
    case od::json_type::string:
      return value.get_string().get(text);
    case od::json_type::number:
      return is_json_number(token_of(value)) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
    case od::json_type::boolean:
      text = token_of(value);
      return text == "true" || text == "false" ? simdjson::SUCCESS : simdjson::T_ATOM_ERROR;
    case od::json_type::null:
      return token_of(value) == "null" ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
    case od::json_type::object: {
      const error_code e = value.get_object().get(object);
      return e != simdjson::SUCCESS ? e : check_members(object, depth + 1);
    }
    case od::json_type::array: {
      const error_code e = value.get_array().get(array);
      return e != simdjson::SUCCESS ? e : check_elements(array, depth + 1);
    }
  }
  return simdjson::TAPE_ERROR;
}

/// The exact text of an object or array that is JSON as a whole.
template <class Nested, class Check>
error_code read_nested(simdjson::simdjson_result<Nested> opened, Check check_inside,
                       std::string_view& found) {
  Nested nested;
  error_code e = std::move(opened).get(nested);
  e = e == simdjson::SUCCESS ? check_inside(nested, 1) : e;
  e = e == simdjson::SUCCESS ? nested.reset().error() : e;
  e = e == simdjson::SUCCESS ? nested.raw_json().get(found) : e;
  found = without_white(found);
  return e;
}

/// A member's value as text.
struct member_text {
  std::string_view text;
  bool quoted = false;  ///< A text of JSON, no number, boolean, object or list.
};

/// The text of a member's value, or nothing for null.
error_code read_value(od::value value, std::optional<member_text>& text) {
  od::json_type type{};
  if (error_code e = value.type().get(type); e != simdjson::SUCCESS) {
    return e;
  }
  std::string_view found;
  error_code e = simdjson::SUCCESS;
  switch (type) {
    case od::json_type::string:
      e = value.get_string().get(found);
      break;
    case od::json_type::object:
      e = read_nested<od::object>(value.get_object(), check_members, found);
      break;
    case od::json_type::array:
      e = read_nested<od::array>(value.get_array(), check_elements, found);
      break;
    default:
      found = token_of(value);
      e = check(value, 0);
      break;
  }
  text = type == od::json_type::null ? std::nullopt
                                     : std::optional(member_text{found, type == od::json_type::string});
  return e;
}

/// Why a line is no object, in words; `member`: where the member at fault begins, if it was reached.
std::string fault_text(std::string_view line, error_code code, const char* member) {
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return "it is empty; skipEmptyRecords leaves such lines out";
  }
  if (line[first] == '[') {
    return "it is an array; each object must stand on a line of its own, without brackets and commas around";
  }
  if (line[first] != '{') {
    return fmt::format("it begins with {} and not with a brace", in_quotes(head_of(line.substr(first), 12)));
  }
  const auto word = [&]() -> std::string {
    switch (code) {
      case simdjson::UNCLOSED_STRING:
        return "a text is not closed by a quote";
      case simdjson::UNESCAPED_CHARS:
        return "a control character stands in a text without an escape";
      case simdjson::STRING_ERROR:
        return "a text has a wrong escape, or half of a surrogate pair";
      case simdjson::NUMBER_ERROR:
        return "a number is not written as JSON wants it";
      case simdjson::T_ATOM_ERROR:
      case simdjson::F_ATOM_ERROR:
      case simdjson::N_ATOM_ERROR:
        return "a word is none of true, false and null";
      case simdjson::DEPTH_ERROR:
        return fmt::format("objects and arrays are nested more than {} deep", depth_max);
      case simdjson::TRAILING_CONTENT:
        return "something stands behind the object";
      case simdjson::UTF8_ERROR:
        return "a text is not well-formed UTF-8";
      default:
        return "a value, comma, colon or bracket is missing or misplaced";
    }
  }();
  return member == nullptr
             ? word
             : fmt::format("{}, {}at byte {} of the line", word,
                           code == simdjson::TRAILING_CONTENT ? "" : "in the member ", member - line.data());
}

}  // namespace

/// The members of one line; used again for each.
struct json_rows::parser {
  od::parser simd;
  std::map<std::string, std::vector<std::size_t>, std::less<>> columns_of_key;
  std::vector<std::optional<member_text>> texts;  ///< One a column.
  std::vector<bool> seen;

  /// Calls `member(key, text)` for each member of the object on the line, in order, until it refuses one.
  /// `why` says in words why a line is not JSON.
  template <class Member>
  dirty_code each_member(std::string_view line, std::string& why, Member member) {
    const auto no = [&](error_code code, const char* at) {
      why = fault_text(line, code, at);
      return dirty_code::not_json;
    };
    od::document document;
    od::object object;
    // The window has the padding that the parser wants behind the line.
    const simdjson::padded_string_view padded(line.data(), line.size(),
                                              line.size() + simdjson::SIMDJSON_PADDING);
    if (error_code e = simd.iterate(padded).get(document); e != simdjson::SUCCESS) {
      return no(e, nullptr);
    }
    if (error_code e = document.get_object().get(object); e != simdjson::SUCCESS) {
      return no(e, nullptr);
    }
    for (auto field : object) {
      std::string_view key;
      od::value value;
      std::optional<member_text> text;
      if (field.error() != simdjson::SUCCESS) {
        return no(field.error(), nullptr);
      }
      const char* at = field.value_unsafe().key().raw() - 1;
      if (error_code e = field.unescaped_key().get(key); e != simdjson::SUCCESS) {
        return no(e, at);
      }
      if (error_code e = field.value().get(value); e != simdjson::SUCCESS) {
        return no(e, at);
      }
      if (error_code e = read_value(value, text); e != simdjson::SUCCESS) {
        return no(e, at);
      }
      if (const dirty_code code = member(key, text); code != dirty_code::none) {
        return code;
      }
    }
    // There is a place only where something stands behind the object.
    const char* behind = nullptr;
    const error_code e = document.current_location().get(behind);
    return e == simdjson::OUT_OF_BOUNDS ? dirty_code::none : no(simdjson::TRAILING_CONTENT, behind);
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
  ever_seen_.resize(bound.columns.size());
}

/// A key that no column wants: one of them may be what a column's name was meant to be.
void json_rows::note_other(std::string_view key) {
  if (records_ <= records_looked_at) {
    bound_.keys->see_other(key);
  }
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
      bound_.keys->add_records(r + 1 - first);
      for (std::size_t c = 0; c < to.columns(); ++c) {
        to.at(c).truncate(std::min(to.at(c).size(), before + static_cast<std::uint32_t>(r - first)));
      }
      to.discard_changes(before + static_cast<std::uint32_t>(r - first));
      return r;
    }
  }
  bound_.keys->add_records(last - first);
  return last;
}

bool json_rows::append_row(std::string_view line, batch_builder& to, row_refusal& refusal) {
  parser& p = *parser_;
  ++records_;
  std::fill(p.texts.begin(), p.texts.end(), std::nullopt);
  std::fill(p.seen.begin(), p.seen.end(), false);
  const dirty_code code =
      p.each_member(line, refusal.detail, [&](std::string_view key, const std::optional<member_text>& text) {
        const auto found = p.columns_of_key.find(key);
        if (found == p.columns_of_key.end()) {
          note_other(key);
          if (layout_.all_columns || layout_.other_fields_dirty) {
            refusal.value = std::string(key);
            refusal.detail = fmt::format("{} the key {}",
                                         layout_.all_columns ? "the first record lacks" : "no column names",
                                         in_quotes(key));
            return dirty_code::too_many_fields;
          }
          return dirty_code::none;
        }
        for (const std::size_t c : found->second) {
          if (p.seen[c]) {
            refusal.column = c;
            refusal.value = text ? std::optional(std::string(text->text)) : std::nullopt;
            refusal.detail = in_quotes(key);
            return dirty_code::duplicate_key;
          }
          p.seen[c] = true;
          if (!ever_seen_[c]) {
            ever_seen_[c] = true;
            bound_.keys->see(c);
          }
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
    const auto found = constant ? std::optional(member_text{*constant, true}) : p.texts[c];
    if (!found) {
      to.at(c).append_null();
      continue;
    }
    // A number of JSON is a number, however it is written.
    const dirty_code bad = found->quoted ? parsers_[c].append(found->text, to.at(c))
                                         : parsers_[c].append_any_spelling(found->text, to.at(c));
    if (bad != dirty_code::none) {
      const auto rule = parsers_[c].append_changed(found->text, to.at(c));
      if (!rule) {
        refusal = {bad, c, std::string(found->text), {}};
        return false;
      }
      to.note_change({to.at(c).size() - 1, static_cast<std::uint32_t>(c), *rule});
    }
  }
  return true;
}

std::vector<dirty_field> json_rows::raw_fields(std::string_view record, const record_window&, std::size_t) {
  return {{"line", "", std::string(record)}};
}

std::vector<std::string> json_keys(std::string_view line, dirty_code& code, std::string& why) {
  json_rows::parser p;
  std::vector<std::string> keys;
  code = p.each_member(line, why, [&](std::string_view key, const std::optional<member_text>&) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      return dirty_code::duplicate_key;
    }
    keys.emplace_back(key);
    return dirty_code::none;
  });
  return keys;
}

}  // namespace sluice
