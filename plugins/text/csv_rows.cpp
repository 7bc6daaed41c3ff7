#include "plugins/text/csv_rows.h"

#include <algorithm>
#include <cstring>

namespace sluice {
namespace {

/// Room for one field more: its bytes and the wide store behind them.
void make_room(growing_buffer& values, std::size_t used, std::size_t length) {
  if (used + length > values.capacity()) [[unlikely]] {
    values.resize(used);
    values.reserve(used + length);
  }
}

/// Copies `length` bytes, 16 at a time: both sides have 64 bytes to spare.
inline void copy_short(std::byte* to, const char* from, std::size_t length) {
  std::memcpy(to, from, 16);
  if (length > 16) [[unlikely]] {
    if (length <= 64) {
      std::memcpy(to + 16, from + 16, 16);
      std::memcpy(to + 32, from + 32, 32);
    } else {
      std::memcpy(to, from, length);
    }
  }
}

void mark_nulls(column_builder& to, std::uint32_t before, std::uint32_t count,
                const std::vector<std::uint32_t>& nulls) {
  if (nulls.empty() && !to.has_validity()) {
    return;
  }
  growing_buffer& validity = to.validity();
  const std::size_t total = std::size_t{before} + count;
  validity.resize((total + 7) / 8);
  auto* bits = validity.as<std::uint8_t>();
  std::uint32_t row = before;
  for (; row < total && row % 8 != 0; ++row) {
    bits[row / 8] = static_cast<std::uint8_t>(bits[row / 8] | 1U << row % 8);
  }
  if (row < total) {
    std::memset(bits + row / 8, 0xFF, (total + 7) / 8 - row / 8);
  }
  for (const std::uint32_t null : nulls) {
    bits[null / 8] = static_cast<std::uint8_t>(bits[null / 8] & ~(1U << null % 8));
  }
}

}  // namespace

/// Records [first, last) of a window as arrays.
struct csv_rows::span {
  const record_window& window;
  std::size_t first;
  std::size_t last;
};

csv_rows::csv_rows(const text_layout& layout, const bound_columns& bound,
                   std::optional<charset_decoder> charset)
    : layout_(layout),
      bound_(bound),
      parsers_(bound.parsers),
      decoder_(layout.grammar, std::move(charset), layout.field_chars_max),
      bytes_are_text_(false) {
  bytes_are_text_ = layout.grammar.plain() && !layout.field_chars_max && layout.encoding_is_utf8;
  for (const bool text : {false, true}) {
    for (std::size_t c = 0; c < bound.columns.size(); ++c) {
      if ((parsers_[c].declared() == declared_type::string_text || bound.columns[c].constant) == text) {
        order_.push_back(c);
      }
    }
  }
}

std::size_t csv_rows::append(const record_window& window, std::size_t first, std::size_t last,
                             batch_builder& to, row_refusal& refusal) {
  const std::uint32_t before = to.rows();
  std::size_t end = last;
  changed_.clear();
  for (std::size_t i = 0; i < order_.size(); ++i) {
    end = fill(order_[i], {window, first, end}, to.at(order_[i]), refusal);
  }
  if (end != last) {
    // Columns filled before the refusal have rows too many.
    for (std::size_t c = 0; c < to.columns(); ++c) {
      if (const auto rows = before + static_cast<std::uint32_t>(end - first); to.at(c).size() > rows) {
        to.at(c).truncate(rows);
      }
    }
  }
  for (const changed_value& change : changed_) {
    if (change.row < before + (end - first)) {
      to.note_change(change);
    }
  }
  return end;
}

std::size_t csv_rows::fill(std::size_t column, const span& rows, column_builder& to, row_refusal& refusal) {
  if (bound_.columns[column].constant) {
    return fill_constant(column, rows, to);
  }
  if (!bytes_are_text_ || parsers_[column].declared() != declared_type::string_text) {
    return fill_values(column, rows, to, refusal);
  }
  const bool nulls = layout_.null_text.has_value();
  if (layout_.grammar.quoting) {
    return nulls ? fill_text<true, true>(column, rows, to, refusal)
                 : fill_text<true, false>(column, rows, to, refusal);
  }
  return nulls ? fill_text<false, true>(column, rows, to, refusal)
               : fill_text<false, false>(column, rows, to, refusal);
}

std::size_t csv_rows::fill_constant(std::size_t column, const span& rows, column_builder& to) {
  for (std::size_t r = rows.first; r < rows.last; ++r) {
    parsers_[column].append(*bound_.columns[column].constant, to);
  }
  return rows.last;
}

std::size_t csv_rows::fill_values(std::size_t column, const span& rows, column_builder& to,
                                  row_refusal& refusal) {
  const std::size_t f = bound_.columns[column].field;
  value_parser& parser = parsers_[column];
  for (std::size_t r = rows.first; r < rows.last; ++r) {
    const std::string_view raw = rows.window.field(r, f);
    field_decoder::field decoded{raw, false, dirty_code::none};
    if (!bytes_are_text_ ||
        (layout_.grammar.quoting && !raw.empty() && raw.front() == layout_.grammar.quote)) {
      decoded = decoder_.decode(raw);
    }
    dirty_code code = decoded.code;
    if (code == dirty_code::none) {
      if (is_null(decoded.text, decoded.quoted)) {
        to.append_null();
        continue;
      }
      code = parser.append(decoded.text, to);
      if (code != dirty_code::none) {
        if (const auto rule = parser.append_changed(decoded.text, to)) {
          changed_.push_back({to.size() - 1, static_cast<std::uint32_t>(column), *rule});
          continue;
        }
      }
    } else {
      decoded.text = raw;
    }
    if (code != dirty_code::none) {
      refusal = {code, column, std::string(decoded.text), {}};
      return r;
    }
  }
  return rows.last;
}

template <bool Quoting, bool Nulls>
std::size_t csv_rows::fill_text(std::size_t column, const span& rows, column_builder& to,
                                row_refusal& refusal) {
  const record_window& window = rows.window;
  const std::size_t f = bound_.columns[column].field;
  const char quote = layout_.grammar.quote;
  const std::string_view null_text = Nulls ? std::string_view(*layout_.null_text) : std::string_view();
  const std::uint32_t* ends = window.index().field_ends();
  const std::uint32_t* record_fields = window.index().record_fields();
  const std::uint32_t* starts = window.starts();
  const auto delimiter = static_cast<std::uint32_t>(layout_.grammar.delimiter.size());
  const char* bytes = window.data();

  growing_buffer& values = to.values();
  growing_buffer& offsets = to.offsets();
  const std::uint32_t before = to.size();
  offsets.reserve((std::size_t{before} + (rows.last - rows.first) + 1) * sizeof(std::int32_t));
  std::int32_t* offset = offsets.as<std::int32_t>() + before + 1;
  std::size_t used = values.size();
  values.reserve(used + 1);  // so that a wide store finds a buffer even for empty texts
  nulls_.clear();
  std::size_t r = rows.first;
  std::size_t field = window.first_field(r) + f;
  for (; r < rows.last; field = record_fields[r++] + f) {
    const std::uint32_t from = f == 0 ? starts[r] : ends[field - 1] + delimiter;
    const char* text = bytes + from;
    std::size_t length = ends[field] - from;
    if (Quoting && *text == quote && length != 0) {
      if (length >= 2 && text[length - 1] == quote && std::memchr(text + 1, quote, length - 2) == nullptr) {
        ++text;
        length -= 2;
      } else {
        const auto decoded = decoder_.decode({text, length});
        if (decoded.code != dirty_code::none) {
          refusal = {decoded.code, column, std::string(text, length), {}};
          break;
        }
        make_room(values, used, decoded.text.size());
        std::memcpy(values.data() + used, decoded.text.data(), decoded.text.size());
        used += decoded.text.size();
        *offset++ = static_cast<std::int32_t>(used);
        continue;
      }
    } else if (Nulls && length == null_text.size() && std::memcmp(text, null_text.data(), length) == 0) {
      nulls_.push_back(before + static_cast<std::uint32_t>(r - rows.first));
      length = 0;
    }
    make_room(values, used, length);
    copy_short(values.data() + used, text, length);
    used += length;
    *offset++ = static_cast<std::int32_t>(used);
  }
  const auto count = static_cast<std::uint32_t>(r - rows.first);
  values.resize(used);
  offsets.resize((std::size_t{before} + count + 1) * sizeof(std::int32_t));
  mark_nulls(to, before, count, nulls_);
  to.set_filled(before + count, to.null_count() + static_cast<std::uint32_t>(nulls_.size()));
  return r;
}

bool csv_rows::is_unclosed(const record_window& window, std::size_t r) {
  const std::size_t fields = window.fields(r);
  return fields != 0 && decoder_.decode(window.field(r, fields - 1)).code == dirty_code::unclosed_quote;
}

std::vector<dirty_field> csv_rows::raw_fields(std::string_view, const record_window& window, std::size_t r) {
  std::vector<dirty_field> fields(std::min(window.fields(r), fields_max));
  for (std::size_t f = 0; f < fields.size(); ++f) {
    fields[f].name = f < bound_.headings.size() ? bound_.headings[f] : std::to_string(f);
    fields[f].text = std::string(window.field(r, f));
  }
  for (std::size_t c = 0; c < bound_.columns.size(); ++c) {
    const auto& column = bound_.columns[c];
    if (!column.constant && column.field < fields.size()) {
      dirty_field& field = fields[column.field];
      field.type = to_string(parsers_[c].declared());
      if (!(*bound_.columns_schema)[c].name.empty()) {
        field.name = (*bound_.columns_schema)[c].name;
      }
    }
  }
  return fields;
}

}  // namespace sluice
