#include "actors/pipeline/convert_batch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "transport/record/canonical.h"

namespace sluice {
namespace {

/// Rows that are converted at a time.
constexpr std::uint32_t chunk_rows = 1024;

/// One part under construction.
struct part_builder {
  std::vector<column_builder> columns;
  std::uint32_t first = 0;  // rows [first, last) of the input
  std::uint32_t last = 0;
  std::vector<std::uint8_t> keep;  // bitmap over those rows, as long as it has to be; beyond it all are kept
  std::vector<dirty_record> dirty;
  std::uint64_t filtered = 0;
  std::uint64_t filtered_bytes = 0;
  std::vector<changed_value> changes;
  std::chrono::nanoseconds transforming{0};
  std::uint64_t transformed = 0;

  void refuse(std::uint32_t row) {
    const std::uint32_t bit = row - first;
    if (keep.size() <= bit / 8) {
      keep.resize(bit / 8 + 1, 0xFF);
    }
    keep[bit / 8] &= static_cast<std::uint8_t>(~(1U << (bit % 8)));
  }
  [[nodiscard]] bool kept(std::uint32_t row) const {
    const std::uint32_t bit = row - first;
    return keep.size() <= bit / 8 || (keep[bit / 8] >> (bit % 8) & 1U) != 0;
  }
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& c : columns) {
      sum += c.bytes();
    }
    return sum;
  }
};

/// Copies a range of the places and positions of `b` into a part.
void copy_range(const batch& b, std::uint32_t first, std::uint32_t last,
                const std::shared_ptr<buffer_pool>& pool, batch& part) {
  const auto slice = [&](const buffer& from) {
    growing_buffer to(pool);
    to.append(from.as<std::uint32_t>() + first, std::size_t{last - first} * 4);
    return to.seal();
  };
  part.position_first = b.position_first;
  if (!b.position_deltas.empty() || first != 0) {
    if (b.position_deltas.empty()) {
      part.position_first = b.position_first + first;
    } else {
      part.position_deltas = slice(b.position_deltas);
    }
  }
  if (b.places) {
    source_places p = *b.places;
    if (!b.places->byte_deltas.empty()) {
      p.byte_deltas = slice(b.places->byte_deltas);
    }
    if (!b.places->keys.empty()) {
      growing_buffer keys(pool);
      keys.append(b.places->keys.as<std::int64_t>() + first, std::size_t{last - first} * 8);
      p.keys = keys.seal();
    }
    if (!b.places->line_deltas.empty()) {
      p.line_deltas = slice(b.places->line_deltas);
    } else if (p.line_first != 0) {
      p.line_first += first;
    }
    part.places = std::move(p);
  }
}

std::string column_name(const field& first_choice, const field& other, std::size_t index) {
  return !first_choice.name.empty() ? first_choice.name
         : !other.name.empty()      ? other.name
                                    : std::to_string(index);
}

/// Takes one batch through a mapping.
class batch_conversion {
 public:
  batch_conversion(const batch& b, const mapping& map, std::shared_ptr<buffer_pool> pool,
                   std::uint64_t part_bytes_max, const stopwatch& clock)
      : b_(b),
        map_(map),
        pool_(std::move(pool)),
        part_bytes_(part_bytes_max / 2),
        clock_(clock),
        reader_dirty_(b.dirty.begin()) {
    // A chunk is cut so that wide rows do not pass the limit.
    if (b.rows != 0) {
      std::uint64_t row_bytes = b.bytes_held() / b.rows + 1;
      for (const transform_step& step : map.steps) {
        row_bytes += step.growth_bytes_max;
      }
      rows_fit_ =
          static_cast<std::uint32_t>(std::clamp<std::uint64_t>(part_bytes_ / row_bytes, 1, chunk_rows));
    }
  }

  std::deque<converted_part> run() {
    std::deque<converted_part> parts;
    std::uint32_t row = 0;
    do {
      part_builder part;
      part.first = row;
      part.columns.reserve(map_.target->size());
      for (const field& f : *map_.target) {
        part.columns.emplace_back(f.type, pool_);
      }
      // At least one chunk; more while the part stays below the limit.
      while (row < b_.rows && (row == part.first || part.bytes() < part_bytes_)) {
        const std::uint32_t last = std::min(b_.rows, row + rows_fit_);
        convert_rows(part, row, last);
        row = last;
      }
      part.last = row;
      parts.push_back(finish(part));
    } while (row < b_.rows);
    return parts;
  }

 private:
  void convert_rows(part_builder& part, std::uint32_t first, std::uint32_t last) {
    if (map_.steps.empty()) {
      std::vector<std::pair<const column*, std::uint32_t>> columns;
      columns.reserve(b_.columns.size());
      for (const column& c : b_.columns) {
        columns.emplace_back(&c, first);
      }
      convert_columns(part, columns, first, last);
      return;
    }
    const auto begun = clock_ ? clock_() : std::chrono::steady_clock::time_point();
    const transformed_rows rows = run_steps(map_.steps, b_, first, last, pool_);
    part.transforming += clock_ ? clock_() - begun : std::chrono::nanoseconds(0);
    part.transformed += last - first - rows.failures.size();
    part.filtered += rows.dropped;
    for (std::uint32_t row = first; row < last; ++row) {
      if (!rows.kept(row - first)) {
        part.refuse(row);
        part.filtered_bytes += b_.row_bytes(row, row + 1);
      }
    }
    for (const transformed_rows::failure& f : rows.failures) {
      part.filtered_bytes -= b_.row_bytes(f.why.row, f.why.row + 1);
      dirty_record d = dirty_from_row(b_, f.why.row, dirty_side::channel);
      const field& from = (*map_.source)[f.column_index];
      d.column = column_name(from, from, f.column_index);
      d.value = value_text(b_.columns[f.column_index], from.type, f.why.row);
      d.code = f.why.code;
      d.message = f.why.message;
      part.dirty.push_back(std::move(d));
    }
    convert_columns(part, rows.columns, first, last);
  }

  /// `all`: where each column stands and which row there is `first`.
  void convert_columns(part_builder& part, const std::vector<std::pair<const column*, std::uint32_t>>& all,
                       std::uint32_t first, std::uint32_t last) {
    std::vector<std::pair<const column*, std::uint32_t>> taken;
    for (const std::uint32_t index : map_.taken) {
      taken.push_back(all[index]);
    }
    const auto& columns = map_.taken.empty() ? all : taken;
    refused_.clear();
    for (std::uint32_t i = 0; i < columns.size(); ++i) {
      const auto& [from, at] = columns[i];
      const std::uint32_t end = at + (last - first);
      failures_.clear();
      changes_.clear();
      if (const auto* changer = map_.changer(i); changer != nullptr) {
        changer->convert(*from, at, end, part.columns[i], failures_, changes_);
      } else if (map_.converters[i] != nullptr) {
        map_.converters[i]->convert(*from, at, end, part.columns[i], failures_);
      } else {
        part.columns[i].append_range(*from, at, last - first);
      }
      for (conversion_failure& f : failures_) {
        refused_.emplace_back(i, std::move(f));
        refused_.back().second.row += first - at;
      }
      for (const value_change& c : changes_) {
        part.changes.push_back({c.row + first - at, i, c.rule});
      }
    }
    // The first column to refuse a row is the one named.
    std::stable_sort(refused_.begin(), refused_.end(),
                     [](const auto& x, const auto& y) { return x.second.row < y.second.row; });
    for (const auto& [index, why] : refused_) {
      if (part.kept(why.row)) {
        part.refuse(why.row);
        const auto& [from, at] = columns[index];
        part.dirty.push_back(refused(why, index, *from, why.row - first + at));
      }
    }
  }

  /// A dirty record of this side for a row whose value does not fit.
  [[nodiscard]] dirty_record refused(const conversion_failure& why, std::size_t index, const column& from,
                                     std::uint32_t row_of_value) const {
    dirty_record d = dirty_from_row(b_, why.row, dirty_side::channel);
    const field& to = (*map_.target)[index];
    d.column = column_name(to, (*map_.between)[index], index);
    d.value = value_text(from, (*map_.between)[index].type, row_of_value);
    d.target_type = to_string(to.type);
    d.code = why.code;
    d.message = why.message;
    return d;
  }

  /// Where a column of the source is written; nothing where it is left out.
  [[nodiscard]] std::optional<std::uint32_t> place_of(std::uint32_t column) const {
    const auto found = std::find(map_.taken.begin(), map_.taken.end(), column);
    return map_.taken.empty() ? std::optional(column)
           : found == map_.taken.end()
               ? std::nullopt
               : std::optional(static_cast<std::uint32_t>(found - map_.taken.begin()));
  }

  converted_part finish(part_builder& part) {
    converted_part made;
    auto out = std::make_shared<batch>();
    out->run = b_.run;
    out->split = b_.split;
    out->epoch = b_.epoch;
    out->columns_schema = map_.target;
    out->rows = part.last - part.first;
    for (auto& c : part.columns) {
      out->columns.push_back(c.seal());
    }
    copy_range(b_, part.first, part.last, pool_, *out);
    out->changed = true;
    out->lease = b_.lease;
    const auto count = [&](const changed_value& c, std::uint32_t column) {
      if (c.row >= part.first && c.row < part.last && part.kept(c.row)) {
        ++out->changes[{column, c.rule}];
      }
    };
    for (const changed_value& c : b_.changed_as_read) {
      if (const auto column = place_of(c.column)) {
        count(c, *column);
      }
    }
    for (const changed_value& c : part.changes) {
      count(c, c.column);
    }
    made.transforming = part.transforming;
    made.transformed = part.transformed;
    if (!part.keep.empty()) {
      part.keep.resize(out->rows / 8 + 1, 0xFF);
      out = select_rows(*out, part.keep, pool_);
    }
    // Dirty records of the reader that stand before the end of this part.
    const bool is_last = part.last >= b_.rows;
    const std::uint64_t border = is_last ? ~std::uint64_t{0} : b_.position_of(part.last);
    for (; reader_dirty_ != b_.dirty.end() && reader_dirty_->position < border; ++reader_dirty_) {
      part.dirty.push_back(*reader_dirty_);
    }
    std::sort(part.dirty.begin(), part.dirty.end(),
              [](const auto& x, const auto& y) { return x.position < y.position; });
    out->dirty = std::move(part.dirty);
    out->rows_sum = canonical_sum(out->columns, *map_.target, 0, out->rows);
    out->filtered_bytes = part.filtered_bytes;
    if (is_last) {
      out->records_read = b_.records_read - records_done_;
      out->filtered = b_.filtered + part.filtered;
      out->filtered_bytes += b_.filtered_bytes;
      out->record_bytes = b_.record_bytes;
      out->read_sum = b_.read_sum;
      out->after = b_.after;
      out->split_end = b_.split_end;
    } else {
      out->filtered = part.filtered;
      out->records_read = out->rows + out->dirty.size() + out->filtered;
      records_done_ += out->records_read;
      out->record_bytes = 0;
      out->read_sum = {};
      out->after.reset();
      out->split_end = false;
    }
    made.b = std::move(out);
    return made;
  }

  const batch& b_;
  const mapping& map_;
  std::shared_ptr<buffer_pool> pool_;
  std::uint64_t part_bytes_;
  const stopwatch& clock_;
  std::uint32_t rows_fit_ = chunk_rows;
  std::vector<dirty_record>::const_iterator reader_dirty_;
  std::uint64_t records_done_ = 0;
  std::vector<conversion_failure> failures_;
  std::vector<value_change> changes_;
  std::vector<std::pair<std::size_t, conversion_failure>> refused_;
};

}  // namespace

std::deque<converted_part> convert_batch(const batch& b, const mapping& map,
                                         const std::shared_ptr<buffer_pool>& pool,
                                         std::uint64_t part_bytes_max, const stopwatch& clock) {
  if (map.passes()) {
    auto whole = std::make_shared<batch>(b);
    whole->columns_schema = map.target;
    for (const changed_value& c : std::exchange(whole->changed_as_read, {})) {
      ++whole->changes[{c.column, c.rule}];
    }
    std::deque<converted_part> parts;
    parts.push_back({std::move(whole), {}});
    return parts;
  }
  return batch_conversion(b, map, pool, part_bytes_max, clock).run();
}

}  // namespace sluice
