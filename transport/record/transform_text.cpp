#include "transport/record/transform_text.h"

#include <nettle/md5.h>
#include <nettle/sha1.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <optional>

#include "transport/base/text.h"
#include "transport/record/dirty_codes.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

/// No value may become longer than a record may be.
constexpr std::int64_t units_max = std::int64_t{64} << 20;

/// UTF-16 units of the character that begins with this byte of well-formed UTF-8; 0 inside a character.
unsigned units_of(char byte) {
  const auto b = static_cast<unsigned char>(byte);
  return (b & 0xC0U) == 0x80U ? 0 : (b >= 0xF0U ? 2 : 1);
}

std::int64_t unit_count(std::string_view text) {
  std::int64_t units = 0;
  for (const char c : text) {
    units += units_of(c);
  }
  return units;
}

/// The byte at which the `unit`th UTF-16 unit begins; nothing in the middle of a character of two.
std::optional<std::size_t> byte_at(std::string_view text, std::int64_t unit) {
  std::int64_t units = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned more = units_of(text[i]);
    if (more != 0 && units >= unit) {
      return units == unit ? std::optional(i) : std::nullopt;
    }
    units += more;
  }
  return units == unit ? std::optional(text.size()) : std::nullopt;
}

/// What a function makes of a value: appended to `out`, or a sentence why not.
using text_function = std::function<std::string(std::string_view text, std::string& out)>;

std::string cut_in_half(std::int64_t unit) {
  return fmt::format(
      "{} falls into the middle of a character of two UTF-16 units, which DataX would write as a question "
      "mark",
      unit);
}

std::string start_behind(std::int64_t start, std::int64_t units) {
  return fmt::format("the start {} is behind the value's {} characters", start, units);
}

text_function substr(std::int64_t start, std::int64_t length) {
  return [start, length](std::string_view text, std::string& out) -> std::string {
    const std::int64_t units = unit_count(text);
    if (start > units) {
      return start_behind(start, units);
    }
    const std::int64_t end = std::min(start + length, units);
    const auto from = byte_at(text, start);
    const auto to = byte_at(text, end);
    if (!from || !to) {
      return cut_in_half(from ? end : start);
    }
    out += text.substr(*from, *to - *from);
    return {};
  };
}

text_function replace(std::int64_t start, std::int64_t length, const std::string& by) {
  return [start, length, by](std::string_view text, std::string& out) -> std::string {
    const std::int64_t units = unit_count(text);
    if (start > units) {
      return start_behind(start, units);
    }
    const std::int64_t end = std::min(start + length, units);
    const auto from = byte_at(text, start);
    const auto to = byte_at(text, end);
    if (!from || !to) {
      return cut_in_half(from ? end : start);
    }
    out += text.substr(0, *from);
    out += by;
    out += text.substr(*to);
    return {};
  };
}

text_function pad(bool left, std::int64_t length, const std::string& by) {
  return
      [left, length, by, by_units = unit_count(by)](std::string_view text, std::string& out) -> std::string {
        const std::int64_t units = unit_count(text);
        if (length <= units) {
          const auto end = byte_at(text, length);
          if (!end) {
            return cut_in_half(length);
          }
          out += text.substr(0, *end);
          return {};
        }
        const std::int64_t missing = length - units;
        const auto rest = byte_at(by, missing % by_units);
        if (!rest) {
          return cut_in_half(length);
        }
        if (!left) {
          out += text;
        }
        for (std::int64_t i = 0; i < missing / by_units; ++i) {
          out += by;
        }
        out += by.substr(0, *rest);
        if (left) {
          out += text;
        }
        return {};
      };
}

template <std::size_t Size>
void append_hex(const std::array<std::uint8_t, Size>& bytes, bool upper, std::string& out) {
  const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  for (const std::uint8_t b : bytes) {
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
}

text_function digest(bool md5, bool upper) {
  return [md5, upper](std::string_view text, std::string& out) -> std::string {
    const auto* data = reinterpret_cast<const std::uint8_t*>(text.data());
    if (md5) {
      std::array<std::uint8_t, MD5_DIGEST_SIZE> sum{};
      md5_ctx context;
      md5_init(&context);
      md5_update(&context, text.size(), data);
      md5_digest(&context, sum.size(), sum.data());
      append_hex(sum, upper, out);
    } else {
      std::array<std::uint8_t, SHA1_DIGEST_SIZE> sum{};
      sha1_ctx context;
      sha1_init(&context);
      sha1_update(&context, text.size(), data);
      sha1_digest(&context, sum.size(), sum.data());
      append_hex(sum, upper, out);
    }
    return {};
  };
}

/// Makes the column text where it is none, then applies the function to each value.
class text_change final : public column_converter {
 public:
  text_change(std::string name, std::unique_ptr<const column_converter> to_text, bool null_is_empty,
              text_function function)
      : name_(std::move(name)),
        to_text_(std::move(to_text)),
        null_is_empty_(null_is_empty),
        function_(std::move(function)),
        pool_(buffer_pool::make(0)) {}

  void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
               std::vector<conversion_failure>& failures) const override {
    if (to_text_ == nullptr) {
      change(from, first, last, first, to, failures);
      return;
    }
    column_builder builder(type_of(type_id::utf8), pool_);
    std::vector<conversion_failure> unreadable;
    to_text_->convert(from, first, last, builder, unreadable);
    std::vector<conversion_failure> unchanged;
    change(builder.seal(), 0, last - first, first, to, unchanged);
    // A row that is no text is a NULL to the function: only the first reason counts.
    for (auto& f : unchanged) {
      const bool known = std::any_of(unreadable.begin(), unreadable.end(),
                                     [&](const conversion_failure& u) { return u.row == f.row; });
      if (!known) {
        unreadable.push_back(std::move(f));
      }
    }
    std::sort(unreadable.begin(), unreadable.end(),
              [](const auto& x, const auto& y) { return x.row < y.row; });
    std::move(unreadable.begin(), unreadable.end(), std::back_inserter(failures));
  }

 private:
  /// Row `first` of `from` is row `shown_first` of the column that failures speak of.
  void change(const column& from, std::uint32_t first, std::uint32_t last, std::uint32_t shown_first,
              column_builder& to, std::vector<conversion_failure>& failures) const {
    std::string value;
    for (std::uint32_t row = first; row < last; ++row) {
      const bool null = from.is_null(row);
      if (null && !null_is_empty_) {
        to.append_null();
        continue;
      }
      value.clear();
      const std::string_view text = null ? std::string_view() : from.get_bytes(row);
      if (const std::string why = function_(text, value); !why.empty()) {
        to.append_null();
        failures.push_back({shown_first + (row - first), to_string(dirty_code::bad_parameter),
                            fmt::format("{} cannot change {}: {}.", name_, in_quotes(text), why)});
        continue;
      }
      to.append_bytes(value);
    }
  }

  std::string name_;
  std::unique_ptr<const column_converter> to_text_;
  bool null_is_empty_;
  text_function function_;
  std::shared_ptr<buffer_pool> pool_;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// A start or a length of the paras.
std::optional<std::int64_t> whole(const std::string& text) {
  const auto parsed = parse_int64(text);
  return parsed && parsed.value >= 0 && parsed.value <= std::numeric_limits<std::int32_t>::max()
             ? std::optional(parsed.value)
             : std::nullopt;
}

/// A function with what it does to NULL and by how much it lengthens a value.
struct made_function {
  text_function function;
  bool null_is_empty = false;
  std::uint64_t growth_bytes_max = 0;
};

constexpr std::uint64_t utf8_bytes_max = 4;

/// Nothing: the paras are not what the function takes.
std::optional<made_function> function_of(const std::string& name, const std::vector<std::string>& paras) {
  if (name == "dx_substr" && paras.size() == 2) {
    const auto start = whole(paras[0]);
    const auto length = whole(paras[1]);
    return start && length ? std::optional(made_function{substr(*start, *length)}) : std::nullopt;
  }
  if (name == "dx_replace" && paras.size() == 3) {
    const auto start = whole(paras[0]);
    const auto length = whole(paras[1]);
    return start && length
               ? std::optional(made_function{replace(*start, *length, paras[2]), false, paras[2].size()})
               : std::nullopt;
  }
  if (name == "dx_pad" && paras.size() == 3) {
    const std::string side = lower(paras[0]);
    const auto length = whole(paras[1]);
    if ((side != "l" && side != "r") || !length || *length > units_max || paras[2].empty()) {
      return std::nullopt;
    }
    return made_function{pad(side == "l", *length, paras[2]), true,
                         static_cast<std::uint64_t>(*length) * utf8_bytes_max};
  }
  if (name == "dx_digest" && paras.size() == 2) {
    const std::string kind = lower(paras[0]);
    const std::string letters = lower(paras[1]);
    if ((kind != "md5" && kind != "sha1") || (letters != "touppercase" && letters != "tolowercase")) {
      return std::nullopt;
    }
    // DataX takes the words in any case and then compares them as they are written: whatever is not exactly
    // md5 is SHA-1, whatever is not exactly toUpperCase is lower case.
    return made_function{digest(paras[0] == "md5", paras[1] == "toUpperCase"), true, 2 * SHA1_DIGEST_SIZE};
  }
  return std::nullopt;
}

constexpr auto function_names = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"dx_substr", "a start and a length, such as [\"2\", \"5\"]"},
    {"dx_pad",
     "l or r, a length of at most 67108864 and a text that is not empty, such as [\"l\", \"8\", \"0\"]"},
    {"dx_replace", "a start, a length and a text, such as [\"3\", \"4\", \"****\"]"},
    {"dx_digest", "md5 or sha1, and toUpperCase or toLowerCase"},
});

}  // namespace

result<std::optional<transform_step>> make_text_step(const std::string& name, std::uint32_t column_index,
                                                     const std::vector<std::string>& paras,
                                                     const std::string& place, const field& column_field,
                                                     const conversion_context& context) {
  const auto* const known = std::find_if(function_names.begin(), function_names.end(),
                                         [&](const auto& one) { return one.first == name; });
  if (known == function_names.end()) {
    return std::optional<transform_step>();
  }
  auto function = function_of(name, paras);
  if (!function) {
    std::string found;
    for (const std::string& p : paras) {
      found += fmt::format("{}{}", found.empty() ? "" : ", ", in_quotes(p));
    }
    return fail(error_kind::bad_option, "{}: {} has the paras [{}]; give {}.", place, name, found,
                known->second);
  }
  field text_field = column_field;
  text_field.type = type_of(type_id::utf8);
  auto to_text = make_converter(column_field, text_field, context);
  if (!to_text) {
    return fail(error_kind::bad_option, "{}: {} changes texts; column {} ({}): {}", place, name, column_index,
                in_quotes(column_field.name), to_text.error().message);
  }
  transform_step step;
  step.column_index = column_index;
  step.growth_bytes_max = function->growth_bytes_max;
  step.becomes = text_field;
  step.becomes.nullable = column_field.nullable && !function->null_is_empty;
  step.becomes.source_type_name = name;
  step.change = std::make_unique<const text_change>(name, std::move(*to_text), function->null_is_empty,
                                                    std::move(function->function));
  return std::optional(std::move(step));
}

}  // namespace sluice
