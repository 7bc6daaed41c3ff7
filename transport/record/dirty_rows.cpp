#include "transport/record/dirty_rows.h"

#include <fmt/format.h>

#include "transport/record/canonical.h"
#include "transport/record/own_columns.h"

namespace sluice {
namespace {

dirty_record without_fields(const batch& b, std::uint32_t row, dirty_side side) {
  dirty_record d;
  d.position = b.position_of(row);
  d.side = side;
  if (b.places) {
    const source_places& p = *b.places;
    d.source = p.source;
    if (!p.byte_deltas.empty()) {
      d.byte_offset = p.byte_offset_first + p.byte_deltas.as<std::uint32_t>()[row];
    }
    if (!p.keys.empty()) {
      d.key = fmt::format("{}={}", p.key_name, p.keys.as<std::int64_t>()[row]);
    }
    if (p.line_first != 0) {
      d.line = p.line_first + (p.line_deltas.empty() ? row : p.line_deltas.as<std::uint32_t>()[row]);
    }
  }
  d.record_bytes = b.row_bytes(row, row + 1);
  d.sum = canonical_sum(b.columns, *b.columns_schema, row, row + 1);
  return d;
}

}  // namespace

std::vector<dirty_record> dirty_from_rows(const batch& b, std::span<const std::uint32_t> rows,
                                          dirty_side side) {
  std::vector<dirty_record> all;
  if (rows.empty()) {
    return all;
  }
  all.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    all.push_back(without_fields(b, row, side));
    all.back().record.reserve(b.columns.size());
  }
  for (std::size_t i = 0; i < b.columns.size(); ++i) {
    const field& f = (*b.columns_schema)[i];
    if (f.own == nullptr) {
      const std::string type = to_string(f.type);
      for (std::size_t n = 0; n < rows.size(); ++n) {
        all[n].record.push_back({f.name, type, value_text(b.columns[i], f.type, rows[n])});
      }
      continue;
    }
    auto texts = f.own->codec->texts(b.columns[i], rows);
    for (std::size_t k = 0; k < f.own->columns.size(); ++k) {
      const field& inner = f.own->columns[k];
      const std::string type = to_string(inner.type);
      for (std::size_t n = 0; n < rows.size(); ++n) {
        all[n].record.push_back({inner.name, type, std::move(texts[k][n])});
      }
    }
  }
  return all;
}

dirty_record dirty_from_row(const batch& b, std::uint32_t row, dirty_side side) {
  return std::move(dirty_from_rows(b, std::span(&row, 1), side).front());
}

}  // namespace sluice
