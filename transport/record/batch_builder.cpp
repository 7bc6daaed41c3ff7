#include "transport/record/batch_builder.h"

#include <cassert>
#include <utility>

#include "transport/record/canonical.h"

namespace sluice {

batch_builder::batch_builder(schema_ptr columns_schema, std::shared_ptr<buffer_pool> pool, limits l)
    : schema_(std::move(columns_schema)),
      pool_(std::move(pool)),
      limits_(l),
      position_deltas_(pool_),
      byte_deltas_(pool_),
      line_deltas_(pool_),
      keys_(pool_) {
  columns_.reserve(schema_->size());
  for (const field& f : *schema_) {
    columns_.emplace_back(f.type, pool_);
  }
}

void batch_builder::commit_rows(std::uint32_t count) {
  for (std::uint32_t i = 0; has_deltas_ && i < count; ++i) {
    position_deltas_.push(static_cast<std::uint32_t>(records_ + i));
  }
  rows_ += count;
  records_ += count;
}

void batch_builder::discard_row() {
  for (column_builder& c : columns_) {
    if (c.size() > rows_) {
      c.truncate(rows_);
    }
  }
  discard_changes(rows_);
  if (places_) {
    const std::size_t kept = rows_ * sizeof(std::uint32_t);
    byte_deltas_.resize(std::min(kept, byte_deltas_.size()));
    line_deltas_.resize(std::min(kept, line_deltas_.size()));
    keys_.resize(std::min(rows_ * sizeof(std::int64_t), keys_.size()));
  }
}

void batch_builder::discard_changes(std::uint32_t from) {
  if (!changed_.empty()) {
    std::erase_if(changed_, [from](const changed_value& c) { return c.row >= from; });
  }
}

void batch_builder::refuse(dirty_record record, std::string_view raw) {
  discard_row();
  if (!has_deltas_) {
    // From here on a row's position is no longer its index.
    has_deltas_ = true;
    for (std::uint32_t i = 0; i < rows_; ++i) {
      position_deltas_.push(i);
    }
  }
  if (record.sum == row_sum{}) {
    record.sum = raw.empty() ? canonical_fields(record.record) : canonical_raw(raw);
  }
  record.position = records_;
  dirty_bytes_ += record.bytes_held();
  dirty_.push_back(std::move(record));
  ++records_;
}

std::size_t batch_builder::bytes() const {
  std::size_t bytes = position_deltas_.size() + byte_deltas_.size() + line_deltas_.size() + keys_.size() +
                      dirty_bytes_ + changed_.size() * sizeof(changed_value);
  for (const column_builder& c : columns_) {
    bytes += c.bytes();
  }
  return bytes;
}

void batch_builder::begin_places(std::string source, std::uint64_t byte_offset, std::uint64_t line) {
  places_.emplace();
  places_->source = std::move(source);
  places_->byte_offset_first = byte_offset;
  places_->line_first = line;
}

void batch_builder::begin_keys(std::string table, std::string key_name) {
  places_.emplace();
  places_->source = std::move(table);
  places_->key_name = std::move(key_name);
}

std::shared_ptr<batch> batch_builder::seal(std::uint64_t position_first) {
  discard_row();
  auto b = std::make_shared<batch>();
  b->columns_schema = schema_;
  b->rows = rows_;
  b->columns.reserve(columns_.size());
  for (column_builder& c : columns_) {
    assert(c.size() == rows_);
    b->columns.push_back(c.seal());
  }
  b->position_first = position_first;
  b->position_deltas = position_deltas_.seal();
  if (places_) {
    places_->byte_deltas = byte_deltas_.seal();
    if (lines_differ_) {
      places_->line_deltas = line_deltas_.seal();
    } else {
      line_deltas_.clear();
    }
    places_->keys = keys_.seal();
    b->places = std::exchange(places_, std::nullopt);
  }
  b->dirty = std::exchange(dirty_, {});
  b->changed_as_read = std::exchange(changed_, {});
  b->records_read = records_;
  b->after = std::exchange(cursor_, std::nullopt);
  b->record_bytes = b->row_bytes(0, rows_);
  b->rows_sum = canonical_sum(b->columns, *schema_, 0, rows_);
  b->read_sum = b->rows_sum;
  for (dirty_record& d : b->dirty) {
    d.position += position_first;
    b->record_bytes += d.record_bytes;
    b->read_sum += d.sum;
  }
  dirty_bytes_ = 0;
  rows_ = 0;
  records_ = 0;
  has_deltas_ = false;
  lines_differ_ = false;
  return b;
}

}  // namespace sluice
