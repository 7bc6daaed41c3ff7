#include "transport/record/scalar.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "transport/base/base64.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using nlohmann::json;

/// A cursor or a split's description is a handful of names and keys; more is a mistake or an attack.
constexpr std::size_t json_bytes_max = std::size_t{64} << 10;

std::string json_string(const std::string& text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string float_text(double value) {
  if (std::isfinite(value)) {
    return fmt::format("{:.17g}", value);
  }
  // By its bits, because a NaN's payload has no other text.
  return fmt::format("0x{:016x}", std::bit_cast<std::uint64_t>(value));
}

template <class T>
std::optional<T> number_from(std::string_view text, auto... base) {
  T value{};
  const auto answer = std::from_chars(text.data(), text.data() + text.size(), value, base...);
  if (answer.ec != std::errc() || answer.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<scalar> float_from(std::string_view text) {
  if (text.starts_with("0x")) {
    const auto bits = number_from<std::uint64_t>(text.substr(2), 16);
    return bits ? std::optional(scalar{std::bit_cast<double>(*bits)}) : std::nullopt;
  }
  const auto value = number_from<double>(text);
  return value && std::isfinite(*value) ? std::optional(scalar{*value}) : std::nullopt;
}

/// `{"u":…}`, `{"f":…}` and `{"b":…}`.
std::optional<scalar> wrapped_from(std::string_view kind, const std::string& text) {
  if (kind == "u") {
    const auto value = number_from<std::uint64_t>(text);
    return value ? std::optional(scalar{*value}) : std::nullopt;
  }
  if (kind == "f") {
    return float_from(text);
  }
  if (kind == "b") {
    auto bytes = base64_decoded(text);
    return bytes ? std::optional(scalar{scalar::bytes{std::move(*bytes)}}) : std::nullopt;
  }
  return std::nullopt;
}

/// Takes the events of the JSON parser, because an object made by it would lose order and repeated names. A
/// `false` ends the parse.
class list_handler {
 public:
  scalar_list list;
  bool complete = false;

  bool null() { return put({std::monostate{}}); }
  bool boolean(bool value) { return put({value}); }
  bool number_integer(json::number_integer_t value) { return put({std::int64_t{value}}); }
  bool number_unsigned(json::number_unsigned_t value) {
    // `to_json` writes what is above int63 as text.
    return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) &&
           put({static_cast<std::int64_t>(value)});
  }
  bool number_float(json::number_float_t, const std::string&) { return false; }
  bool string(std::string& value) {
    if (depth_ != 2) {
      return put({std::move(value)});
    }
    auto inner = has_kind_ && !has_value_ ? wrapped_from(kind_, value) : std::nullopt;
    has_value_ = inner.has_value();
    if (has_value_) {
      list.push_back({std::move(name_), std::move(*inner)});
    }
    return has_value_;
  }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) {
    if (depth_ == 2 || (depth_ == 1 && !has_name_)) {
      return false;
    }
    ++depth_;
    has_kind_ = has_value_ = false;
    return true;
  }
  bool key(std::string& value) {
    if (depth_ == 1) {
      name_ = std::move(value);
      has_name_ = true;
      return true;
    }
    const bool first = !has_kind_;
    has_kind_ = true;
    kind_ = std::move(value);
    return first;
  }
  bool end_object() {
    --depth_;
    complete = depth_ == 0;
    has_name_ = false;
    return complete || has_value_;
  }
  bool start_array(std::size_t) { return false; }
  bool end_array() { return false; }
  bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

 private:
  bool put(scalar value) {
    if (depth_ != 1 || !has_name_) {
      return false;
    }
    list.push_back({std::move(name_), std::move(value)});
    has_name_ = false;
    return true;
  }

  int depth_ = 0;
  bool has_name_ = false;
  bool has_kind_ = false;
  bool has_value_ = false;
  std::string name_;
  std::string kind_;
};

struct json_writer {
  std::string& out;
  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(std::uint64_t value) const { out += fmt::format(R"({{"u":"{}"}})", value); }
  void operator()(double value) const { out += fmt::format(R"({{"f":"{}"}})", float_text(value)); }
  void operator()(const std::string& value) const { out += json_string(value); }
  void operator()(const scalar::bytes& value) const {
    out += fmt::format(R"({{"b":"{}"}})", base64(value.value));
  }
};

}  // namespace

const scalar* find(const scalar_list& list, std::string_view name) {
  const auto at =
      std::find_if(list.begin(), list.end(), [&](const named_scalar& s) { return s.name == name; });
  return at == list.end() ? nullptr : &at->value;
}

std::string to_json(const scalar_list& list) {
  std::string out = "{";
  for (const auto& [name, value] : list) {
    if (out.size() > 1) {
      out += ',';
    }
    out += json_string(name);
    out += ':';
    std::visit(json_writer{out}, value.value);
  }
  out += '}';
  return out;
}

result<scalar_list> scalars_from_json(std::string_view text) {
  if (text.size() > json_bytes_max) {
    return fail(error_kind::internal, "A list of scalars has {}; at most {} are accepted.",
                bytes_text(text.size()), bytes_text(json_bytes_max));
  }
  list_handler handler;
  try {
    if (json::sax_parse(text, &handler) && handler.complete) {
      return std::move(handler.list);
    }
  } catch (const std::exception&) {
    // The library reports through `parse_error`; memory is all that could still throw, and is no form either.
  }
  return fail(error_kind::internal, "{} is not a list of scalars as Sluice writes them.", in_quotes(text));
}

}  // namespace sluice
