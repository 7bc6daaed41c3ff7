#include "plugins/text/column_guess.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "transport/record/parse.h"

namespace sluice {
namespace {

/// A longer text is no name.
constexpr std::size_t heading_bytes_max = 64;

/// What files of the world write for NULL.
constexpr auto null_words =
    std::to_array<std::string_view>({"", "\\N", "NULL", "null", "NA", "N/A", "#N/A", "None", "nil", "-"});

/// Patterns of one wall clock time each, those that could be taken for each other beside each other. An
/// offset is not kept by the type, and a date alone would get a time of day: both stay text.
constexpr auto date_patterns = std::to_array<std::string_view>({
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd HH:mm:ss.SSS",
    "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "yyyy-MM-dd'T'HH:mm:ss",
    "yyyy-MM-dd'T'HH:mm:ss.SSS",
    "yyyy-MM-dd HH:mm",
    "yyyy/MM/dd HH:mm:ss",
    "dd.MM.yyyy HH:mm:ss",
    "dd/MM/yyyy HH:mm:ss",
    "MM/dd/yyyy HH:mm:ss",
});

bool is_null(const sampled_field& f, const std::optional<std::string>& null_text) {
  return null_text && !f.quoted && f.text == *null_text;
}

template <class Fits>
bool all_fit(const std::vector<sampled_field>& fields, const std::optional<std::string>& null_text,
             Fits fits) {
  return std::all_of(fields.begin(), fields.end(),
                     [&](const sampled_field& f) { return is_null(f, null_text) || fits(f.text); });
}

bool is_plain_number(std::string_view text) {
  return !text.empty() && (std::isdigit(static_cast<unsigned char>(text.back())) != 0) &&
         text.find_first_not_of("0123456789.-") == std::string_view::npos;
}

/// Whether every value is a text by which the type itself writes it.
bool all_written_back(const std::vector<sampled_field>& fields, const std::optional<std::string>& null_text,
                      declared_type type, const std::optional<std::string>& format = {}) {
  auto parser = value_parser::make(type, format, {});
  return parser &&
         all_fit(fields, null_text, [&](const std::string& text) { return parser->is_own_spelling(text); });
}

/// As Sluice and PostgreSQL write bytes. One in quotes is meant as a text (`is_mark_unquoted`).
bool all_are_bytes(const std::vector<sampled_field>& fields, const std::optional<std::string>& null_text,
                   const std::string& form) {
  return std::none_of(fields.begin(), fields.end(), [](const sampled_field& f) { return f.quoted; }) &&
         all_written_back(fields, null_text, declared_type::bytes, form);
}

/// The patterns that all values fit.
std::vector<std::string> fitting_patterns(const std::vector<sampled_field>& fields,
                                          const std::optional<std::string>& null_text) {
  std::vector<std::string> found;
  for (const std::string_view text : date_patterns) {
    if (all_written_back(fields, null_text, declared_type::date, std::string(text))) {
      found.emplace_back(text);
    }
  }
  return found;
}

bool looks_like_date(const std::string& text) {
  return text.size() >= 8 && text.size() <= 10 && std::isdigit(static_cast<unsigned char>(text[0])) != 0 &&
         text.find_first_of("-/.") != std::string::npos &&
         text.find_first_not_of("0123456789-/.") == std::string::npos;
}

column_guess make(declared_type type, std::string reason, std::optional<std::string> format = {}) {
  column_guess guess;
  guess.type = type;
  guess.format = std::move(format);
  guess.reason = std::move(reason);
  const auto parser = value_parser::make(type, guess.format, {});
  guess.value_type = parser ? parser->type() : type_of(type_id::utf8);
  return guess;
}

std::string why_text(const std::vector<sampled_field>& fields, const std::optional<std::string>& null_text) {
  if (all_fit(fields, null_text, looks_like_date)) {
    return "text, because a date without a time of day would get one";
  }
  const auto numbers = [](const std::string& text) {
    return parse_int64(text).ok() || is_plain_number(text);
  };
  if (all_fit(fields, null_text, numbers)) {
    return "text, because as numbers some values would be written otherwise (a leading zero or plus, say)";
  }
  return {};
}

bool is_no_name(std::string_view text) {
  return std::find(null_words.begin(), null_words.end(), text) != null_words.end();
}

bool is_typed(const std::vector<sampled_field>& fields, const std::optional<std::string>& null_text) {
  return guess_column(fields, null_text).type != declared_type::string_text;
}

}  // namespace

column_guess guess_column(const std::vector<sampled_field>& fields,
                          const std::optional<std::string>& null_text) {
  const bool any = std::any_of(fields.begin(), fields.end(),
                               [&](const sampled_field& f) { return !is_null(f, null_text); });
  if (!any) {
    return make(declared_type::string_text, "text, because no value was seen");
  }
  if (all_written_back(fields, null_text, declared_type::long_number)) {
    return make(declared_type::long_number, {});
  }
  if (all_written_back(fields, null_text, declared_type::double_number)) {
    return make(declared_type::double_number, "exact number, not a floating-point one");
  }
  if (all_written_back(fields, null_text, declared_type::boolean)) {
    return make(declared_type::boolean, {});
  }
  if (const std::string hex(to_string(bytes_form::pg_hex)); all_are_bytes(fields, null_text, hex)) {
    return make(declared_type::bytes, "bytes, by the \\x before their hex digits", hex);
  }
  const auto patterns = fitting_patterns(fields, null_text);
  if (patterns.size() == 1) {
    return make(declared_type::date, {}, patterns[0]);
  }
  if (patterns.size() > 1) {
    return make(
        declared_type::string_text,
        fmt::format("text, because its dates may be read as {}; give type DATE and the format that is "
                    "right",
                    fmt::join(patterns, " or ")));
  }
  return make(declared_type::string_text, why_text(fields, null_text));
}

null_guess guess_null_text(const std::vector<std::vector<sampled_field>>& columns) {
  null_guess guess;
  std::size_t most = 0;
  std::map<std::string_view, std::size_t> seen;
  std::vector<bool> typed;
  for (const auto& column : columns) {
    typed.push_back(is_typed(column, std::nullopt));
  }
  for (const std::string_view word : null_words) {
    const std::optional<std::string> text = std::string(word);
    std::size_t gained = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto occurs = std::count_if(columns[i].begin(), columns[i].end(),
                                        [&](const sampled_field& f) { return is_null(f, text); });
      seen[word] += static_cast<std::size_t>(occurs);
      gained += occurs != 0 && !typed[i] && is_typed(columns[i], text) ? 1 : 0;
    }
    if (gained > most) {
      most = gained;
      guess.text = text;
    }
  }
  if (!guess.text && seen["\\N"] > seen[""]) {
    guess.text = "\\N";
  }
  const std::string word = guess.text.value_or("");
  guess.unsure = (!word.empty() && word != "\\N") || (seen[""] != 0 && seen["\\N"] != 0);
  return guess;
}

bool is_mark_unquoted(std::string_view text) {
  return may_be_mark(text) && (text.starts_with("\\x") || is_no_name(text));
}

heading_guess guess_heading(const std::vector<std::vector<sampled_field>>& columns) {
  bool typed_below = false;
  bool named = false;
  for (const auto& column : columns) {
    if (column.empty()) {
      return {};
    }
    const std::string& name = column.front().text;
    if (is_no_name(name)) {
      continue;
    }
    named = true;
    const bool digits_first = std::isdigit(static_cast<unsigned char>(name[0])) != 0;
    if (digits_first || name.size() > heading_bytes_max ||
        guess_column({column.front()}, std::nullopt).type != declared_type::string_text) {
      return {};
    }
    const std::vector<sampled_field> below(column.begin() + 1, column.end());
    if (below.empty()) {
      continue;
    }
    const auto null_text = guess_null_text({below}).text;
    typed_below = typed_below || (is_typed(below, null_text) && !is_typed(column, null_text));
  }
  if (!named) {
    return {};
  }
  // Where all is text, a heading's name does not come again below it.
  const bool repeated = std::any_of(columns.begin(), columns.end(), [](const auto& column) {
    return !is_no_name(column.front().text) &&
           std::any_of(column.begin() + 1, column.end(),
                       [&](const sampled_field& f) { return f.text == column.front().text; });
  });
  return {typed_below || !repeated, !typed_below && !repeated};
}

}  // namespace sluice
