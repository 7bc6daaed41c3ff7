#include "plugins/postgresql/postgresql_own.h"

#include <fmt/format.h>

#include <array>

#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_numeric.h"
#include "transport/record/dirty_codes.h"

namespace sluice::postgresql {
namespace {

constexpr std::int32_t width_of_bytes = -1;
constexpr std::int32_t width_unknown = -2;
constexpr std::int32_t no_length = -2;
constexpr std::int32_t uuid_chars = 36;
/// Types made by a user have higher numbers (transam.h, FirstNormalObjectId).
constexpr std::uint32_t made_oid_least = 16384;

std::int32_t width_in_batch(const column_type& column) {
  switch (column.form) {
    case wire_form::numeric:
      return column.type.id == type_id::decimal ? static_cast<std::int32_t>(fixed_width(type_id::decimal))
                                                : width_unknown;
    case wire_form::boolean:
      return 1;
    case wire_form::uuid:
      return uuid_chars;
    case wire_form::jsonb:
      return width_unknown;
    case wire_form::text:
    case wire_form::bytes:
    case wire_form::as_text:
      return width_of_bytes;
    default:
      return static_cast<std::int32_t>(fixed_width(column.type.id));
  }
}

/// Record bytes of a value whose form alone does not tell them.
std::int64_t looked_at(const column_type& column, std::string_view value) {
  if (column.form == wire_form::jsonb) {
    return value.empty() ? 0 : static_cast<std::int64_t>(value.size()) - 1;  // without its version
  }
  std::string text;
  append_numeric_text(value, text);
  return static_cast<std::int64_t>(text.size());
}

/// Takes the fields of a row one after the other; bytes that end too early end the row.
class field_walk {
 public:
  explicit field_walk(std::string_view row) : rest_(row) {}
  /// False at the end. A NULL is nothing.
  bool next(std::optional<std::string_view>& field) {
    if (rest_.size() < sizeof(std::uint32_t)) {
      return false;
    }
    const auto length = static_cast<std::int32_t>(read_big<std::uint32_t>(rest_.data()));
    rest_.remove_prefix(sizeof length);
    if (length < 0) {
      field.reset();
      return length == -1;
    }
    if (static_cast<std::size_t>(length) > rest_.size()) {
      return false;
    }
    field = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(static_cast<std::size_t>(length));
    return true;
  }

 private:
  std::string_view rest_;
};

/// Blocks of values that are shown; a few small ones a column.
constexpr std::size_t texts_bytes_kept = std::size_t{64} << 10;

}  // namespace

std::string own_form_of(const server_type& type) {
  const wire_form form = kind_of(type, 0).form;
  if (type.is_enum || type.oid >= made_oid_least || form == wire_form::as_text || form == wire_form::money) {
    return {};
  }
  return fmt::format("postgresql {} {}", type.oid, type.modifier);
}

bool takes_own_form(const server_type& type, std::string_view form) {
  const std::string mine = own_form_of(type);
  if (form.empty() || mine.empty()) {
    return false;
  }
  const auto without_limit = [](std::string_view text) { return text.substr(0, text.rfind(' ')); };
  return form == mine || (type.modifier == -1 && without_limit(form) == without_limit(mine));
}

field own_field(schema columns, std::vector<column_type> kinds) {
  field whole;
  whole.type = type_of(type_id::binary);
  whole.nullable = false;
  whole.own = std::make_shared<const own_columns>(
      own_columns{std::move(columns), std::make_shared<const copy_codec>(std::move(kinds))});
  return whole;
}

copy_codec::copy_codec(std::vector<column_type> columns)
    : columns_(std::move(columns)), pool_(buffer_pool::make(texts_bytes_kept)) {
  for (const column_type& c : columns_) {
    widths_.push_back(width_in_batch(c));
    const std::size_t fixed = fixed_bytes(c.form);
    fixed_.push_back(fixed == 0 ? no_length : static_cast<std::int32_t>(fixed));
  }
}

inline bool copy_codec::measure(std::size_t i, const char*& at, const char* end, std::uint64_t& bytes) const {
  if (end - at < static_cast<std::ptrdiff_t>(sizeof(std::int32_t))) {
    return false;
  }
  const auto length = static_cast<std::int32_t>(read_big<std::uint32_t>(at));
  at += sizeof length;
  const std::int32_t width = widths_[i];
  if (length == fixed_[i] && end - at >= length) {
    at += fixed_[i];  // known without a look at the length, so that the next need not wait for it
    bytes += static_cast<std::uint64_t>(width);
    return true;
  }
  if (length < 0) {
    return true;
  }
  if (end - at < length) {
    return false;
  }
  bytes += static_cast<std::uint64_t>(width >= 0 ? width
                                      : width == width_of_bytes
                                          ? length
                                          : looked_at(columns_[i], {at, static_cast<std::size_t>(length)}));
  at += length;
  return true;
}

std::uint64_t copy_codec::record_bytes(const column& rows, std::uint32_t first, std::uint32_t last) const {
  const auto* offsets = rows.offsets.as<std::int32_t>();
  const auto* values = rows.values.as<char>();
  std::uint64_t bytes = 0;
  const auto begin = [&](std::uint32_t row) { return values + offsets[row]; };
  const auto measure_row = [&](std::uint32_t row) {
    const char* at = begin(row);
    for (std::size_t i = 0; i < widths_.size() && measure(i, at, begin(row + 1), bytes); ++i) {
    }
  };
  // Where a field begins is known only after the length before it has come: four rows wait at a time.
  constexpr std::uint32_t together = 4;
  while (last - first >= together) {
    const std::uint64_t before = bytes;
    std::array<const char*, together + 1> at;
    for (std::uint32_t k = 0; k <= together; ++k) {
      at[k] = begin(first + k);
    }
    const std::array<const char*, together + 1> ends = at;
    std::size_t i = 0;
    while (i < widths_.size() && measure(i, at[0], ends[1], bytes) && measure(i, at[1], ends[2], bytes) &&
           measure(i, at[2], ends[3], bytes) && measure(i, at[3], ends[4], bytes)) {
      ++i;
    }
    if (i < widths_.size()) {  // one of them is damaged
      bytes = before;
      for (std::uint32_t k = 0; k < together; ++k) {
        measure_row(first + k);
      }
    }
    first += together;
  }
  for (; first < last; ++first) {
    measure_row(first);
  }
  return bytes;
}

std::vector<std::vector<std::optional<std::string>>> copy_codec::texts(
    const column& rows, std::span<const std::uint32_t> which) const {
  std::vector<std::vector<std::optional<std::string>>> out(
      columns_.size(), std::vector<std::optional<std::string>>(which.size()));
  std::vector<std::vector<std::uint32_t>> decoded(columns_.size());  // by place in `which`
  std::vector<column_builder> builders;
  builders.reserve(columns_.size());
  for (const column_type& c : columns_) {
    builders.emplace_back(c.type, pool_);
  }
  field_decoder decoder(columns_, true);
  for (std::uint32_t n = 0; n < which.size(); ++n) {
    field_walk walk(rows.get_bytes(which[n]));
    std::optional<std::string_view> field;
    for (std::size_t i = 0; i < columns_.size() && walk.next(field); ++i) {
      if (!field) {
        continue;
      }
      if (decoder.append(i, *field, builders[i]) == dirty_code::none) {
        decoded[i].push_back(n);
      } else {
        out[i][n] = decoder.text_of(i, *field);
      }
    }
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const column values = builders[i].seal();
    for (std::uint32_t at = 0; at < decoded[i].size(); ++at) {
      out[i][decoded[i][at]] = value_text(values, columns_[i].type, at);
    }
  }
  return out;
}

}  // namespace sluice::postgresql
