#include "plugins/stream/stream_columns.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "jobspec/option_mistakes.h"
#include "transport/base/text.h"
#include "transport/record/calendar.h"
#include "transport/record/date_pattern.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

constexpr std::string_view default_date_format = "yyyy-MM-dd HH:mm:ss";
// A larger text could not be part of a record (64 MB) and is refused record by record; this only bounds the
// sum.
constexpr std::int64_t length_max = std::int64_t{1} << 30;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<data_type> type_named(std::string_view name) {
  static constexpr std::pair<std::string_view, type_id> names[] = {
      {"string", type_id::utf8},  {"long", type_id::int64},      {"double", type_id::float64},
      {"bool", type_id::boolean}, {"boolean", type_id::boolean}, {"bytes", type_id::binary}};
  for (const auto& [known, id] : names) {
    if (known == name) {
      return type_of(id);
    }
  }
  return name == "date" ? std::optional(time_type(type_id::timestamp, time_unit::milli)) : std::nullopt;
}

/// Parses the texts of one column's options and names the column where they do not fit.
class column_parser {
 public:
  explicit column_parser(const option_values& options) : options_(options) {}

  result<stream_column> parse() {
    stream_column column;
    SLUICE_TRY(const auto name, options_.text("name"));
    column.name = name.value_or("");
    SLUICE_TRY(const auto type_name, options_.text("type"));
    std::string lower = type_name.value_or("string");
    for (char& c : lower) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    const auto type = type_named(lower);
    if (!type) {
      return options_.bad("type", fmt::format("type is {}; write string, long, double, date, bool or bytes.",
                                              in_quotes(*type_name)));
    }
    column.type = *type;
    SLUICE_TRY(const auto pattern, options_.text("dateFormat"));
    SLUICE_CHECK(take_date_format(pattern.value_or(std::string(default_date_format))));

    const auto& object = options_.json();
    const auto value = object.find("value");
    SLUICE_TRY(const auto random, options_.text("random"));
    const bool blank =
        value != object.end() && value->is_string() && value->get_ref<const std::string&>().empty();
    if (value == object.end() || (blank && random)) {
      SLUICE_CHECK(take_random(random, column));
    } else {
      SLUICE_CHECK(take_constant(*value, column));
    }
    return column;
  }

 private:
  result<void> take_date_format(const std::string& pattern) {
    auto made = date_pattern::make(pattern);
    if (!made) {
      return options_.bad("dateFormat", made.error().message);
    }
    if (made->has_offset()) {
      return options_.bad("dateFormat",
                          "dateFormat has an offset from UTC, and a date of stream is a wall clock time; "
                          "leave the offset out.");
    }
    date_format_.emplace(std::move(*made));
    return {};
  }

  /// Milliseconds since 1970-01-01 on the wall clock.
  result<std::int64_t> date(std::string_view name, std::string_view text) {
    constexpr std::int64_t nanos_per_milli = 1'000'000;
    const auto parsed = date_format_->parse(text);
    if (!parsed || parsed.value.nanos_of_day % nanos_per_milli != 0) {
      return options_.bad(
          name, fmt::format("{} is {}, which is not a date to the millisecond in the format {}; mend it "
                            "or set dateFormat.",
                            name, in_quotes(text), in_quotes(date_format_->text())));
    }
    return std::int64_t{parsed.value.days} * seconds_per_day * 1000 +
           parsed.value.nanos_of_day / nanos_per_milli;
  }

  result<void> take_constant(const nlohmann::json& value, stream_column& column) {
    if (value.is_null()) {
      column.holds = stream_column::content::null;
      return {};
    }
    if (value.is_structured()) {
      return options_.bad("value",
                          "value is a list or an object; write a text, a number, true, false or null.");
    }
    column.text = value.is_string() ? value.get<std::string>() : value.dump();
    switch (column.type.id) {
      case type_id::int64: {
        const auto number = parse_int64(column.text);
        column.integer = number.value;
        return number ? result<void>() : not_a("whole number of 64 bits", column.text);
      }
      case type_id::float64: {
        const auto number = parse_float64(column.text);
        column.number = number.value;
        return number ? result<void>() : not_a("number", column.text);
      }
      case type_id::boolean: {
        const auto truth = parse_bool(column.text);
        column.integer = truth.value ? 1 : 0;
        return truth ? result<void>() : not_a("boolean (true or false)", column.text);
      }
      case type_id::timestamp: {
        SLUICE_TRY(column.integer, date("value", column.text));
        return {};
      }
      default:
        return {};
    }
  }

  tl::unexpected<error> not_a(std::string_view what, const std::string& text) {
    return options_.bad("value", fmt::format("value is {}, which is not a {}.", in_quotes(text), what));
  }

  result<void> take_random(const std::optional<std::string>& random, stream_column& column) {
    if (!random) {
      return options_.bad("value",
                          "The column has neither value nor random; give it one, such as \"value\": \"x\" "
                          "or \"random\": \"1,10\".");
    }
    column.holds = stream_column::content::random;
    const bool is_date = column.type.id == type_id::timestamp;
    const std::size_t comma = random->rfind(',');
    if (comma == std::string::npos) {
      return options_.bad("random",
                          fmt::format("random is {}; write the lower and the upper end with a comma between.",
                                      in_quotes(*random)));
    }
    const std::string_view low = trimmed(std::string_view(*random).substr(0, comma));
    const std::string_view high = trimmed(std::string_view(*random).substr(comma + 1));
    if (is_date) {
      SLUICE_TRY(column.low, date("random", low));
      SLUICE_TRY(column.high, date("random", high));
    } else {
      const auto from = parse_int64(low);
      const auto to = parse_int64(high);
      if (!from || !to || from.value < 0 || to.value < 0) {
        return options_.bad(
            "random", fmt::format("random is {}; both ends are whole numbers from 0.", in_quotes(*random)));
      }
      column.low = from.value;
      column.high = to.value;
    }
    if (column.low > column.high && column.type.id != type_id::boolean) {
      return options_.bad("random", fmt::format("random is {}; its first end must not be above the second.",
                                                in_quotes(*random)));
    }
    if (column.has_length() && column.high > length_max) {
      return options_.bad("random",
                          fmt::format("random is {}; the longest text is {} characters.", in_quotes(*random),
                                      with_thousands(static_cast<std::uint64_t>(length_max))));
    }
    return {};
  }

  const option_values& options_;
  std::optional<date_pattern> date_format_;
};

}  // namespace

option stream_column_option() {
  return {
      .name = "column",
      .type = option_type::object_list,
      .meaning =
          "The columns of each record, in order: constant ones with `value`, made-up ones with `random`.",
      .required = true,
      .members = {
          {.name = "type",
           .meaning = "What the column holds.",
           .default_text = "string",
           .allowed = {"string", "long", "double", "date", "bool", "boolean", "bytes"}},
          {.name = "value",
           .meaning = "The constant; null makes a column of NULLs. It wins over `random`.",
           .blank_is_value = true},
          {.name = "random",
           .meaning =
               "`a,b` with 0 <= a <= b: string and bytes of a to b alphanumeric characters; long from a to "
               "b; "
               "double from a up to, not including, b + 1; date between two dates; bool a times false to b "
               "times true."},
          {.name = "dateFormat",
           .meaning = "Java pattern of the dates in `value` and `random`.",
           .default_text = std::string(default_date_format)},
          {.name = "name", .meaning = "The column's name, for writers that use names."},
      }};
}

result<std::vector<stream_column>> parse_stream_columns(const option_values& options) {
  SLUICE_TRY(const auto items, options.object_list("column"));
  if (items.empty()) {
    return options.bad("column", "column is empty; give at least one column.");
  }
  std::vector<stream_column> columns;
  option_mistakes wrong;
  for (const option_values& item : items) {
    wrong.take(column_parser(item).parse(), columns.emplace_back());
  }
  SLUICE_CHECK(wrong.all());
  return columns;
}

schema_ptr schema_of(const std::vector<stream_column>& columns) {
  schema fields;
  for (const stream_column& column : columns) {
    std::string_view source_type = "string";
    switch (column.type.id) {
      case type_id::int64:
        source_type = "long";
        break;
      case type_id::float64:
        source_type = "double";
        break;
      case type_id::boolean:
        source_type = "bool";
        break;
      case type_id::timestamp:
        source_type = "date";
        break;
      case type_id::binary:
        source_type = "bytes";
        break;
      default:
        break;
    }
    fields.push_back({column.name, column.type, true, std::string(source_type)});
  }
  return std::make_shared<const schema>(std::move(fields));
}

}  // namespace sluice
