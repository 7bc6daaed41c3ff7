#include "actors/pipeline/channel_core.h"

#include <algorithm>
#include <utility>

#include "transport/record/canonical.h"

namespace sluice {

void channel_core::rewind(const rewind_msg& m) {
  if (at_ && m.epoch < at_->epoch) {
    return;
  }
  at_ = m;
  queue_.clear();
  parts_.clear();
  expected_ = 1;
  sequence_ = 0;
  ended_ = false;
  asked_ = false;
  passed_ = false;
  ++ticket_;
  to_writer_.restart(m.window_bytes);
  from_reader_.restart(config_.memory.window_bytes);
  rewind_msg up = m;
  up.window_bytes = config_.memory.window_bytes;
  out_.to_reader(up);
}

void channel_core::credit(const credit_msg& m) {
  if (at_ && m.epoch == at_->epoch && to_writer_.raise(m.bytes_total)) {
    pump();
  }
}

void channel_core::report_loss() {
  // Only the writer can begin a new epoch: it is told of a batch it cannot have.
  out_.to_writer(sent_msg{at_->split, at_->epoch, sequence_ + 1, false});
}

void channel_core::take(const batch_ptr& b) {
  if (!at_ || b->epoch != at_->epoch || b->split != at_->split || b->sequence < expected_) {
    return;
  }
  if (b->sequence > expected_) {
    report_loss();
    return;
  }
  ++expected_;
  queue_.push_back(b);
  pump();
}

void channel_core::sent(const sent_msg& m) {
  if (!at_ || m.epoch != at_->epoch) {
    return;
  }
  if (m.sequence >= expected_) {
    report_loss();
    return;
  }
  out_.to_reader(credit_msg{at_->split, at_->epoch, from_reader_.announced()});
}

void channel_core::throttle_passed(std::uint64_t ticket) {
  if (ticket == ticket_ && asked_) {
    passed_ = true;
    pump();
  }
}

void channel_core::tick() {
  if (at_) {
    out_.to_writer(sent_msg{at_->split, at_->epoch, sequence_, ended_});
  }
}

std::uint64_t channel_core::bytes_queued() const {
  std::uint64_t bytes = 0;
  for (const auto& b : queue_) {
    bytes += b->bytes_held();
  }
  for (const auto& p : parts_) {
    bytes += p->bytes_held();
  }
  return bytes;
}

void channel_core::pump() {
  while (true) {
    while (!parts_.empty()) {
      const std::uint64_t bytes = parts_.front()->bytes_held();
      if (!to_writer_.can_send(bytes)) {
        return;
      }
      to_writer_.sent(bytes);
      auto part = std::move(parts_.front());
      parts_.pop_front();
      part->sequence = ++sequence_;
      ended_ = part->split_end;
      out_.to_writer(batch_ptr(std::move(part)));
      if (parts_.empty()) {
        if (const auto total = from_reader_.consume(converted_bytes_, queue_.empty())) {
          out_.to_reader(credit_msg{at_->split, at_->epoch, *total});
        }
      }
    }
    if (queue_.empty()) {
      return;
    }
    if (config_.throttled && !passed_) {
      if (!asked_) {
        asked_ = true;
        out_.ask_throttle(++ticket_, queue_.front()->record_bytes, queue_.front()->records_read);
      }
      if (!passed_) {
        return;
      }
    }
    // Converting before there is credit would hold a second batch for nothing.
    if (to_writer_.available() == 0) {
      return;
    }
    const batch_ptr b = std::move(queue_.front());
    queue_.pop_front();
    asked_ = false;
    passed_ = false;
    converted_bytes_ = b->bytes_held();
    parts_ = convert_batch(*b, *config_.map, config_.pool, config_.memory.batch_bytes_max);
  }
}

namespace {

/// One part under construction.
struct part_builder {
  std::vector<column_builder> columns;
  std::uint32_t first = 0;  // rows [first, last) of the input
  std::uint32_t last = 0;
  std::vector<std::uint8_t> keep;  // bitmap over those rows, empty: all
  std::vector<dirty_record> dirty;

  void refuse(std::uint32_t row) {
    if (keep.empty()) {
      keep.assign((last - first + 7) / 8 + 1, 0xFF);
    }
    keep[(row - first) / 8] &= static_cast<std::uint8_t>(~(1u << ((row - first) % 8)));
  }
  [[nodiscard]] bool kept(std::uint32_t row) const {
    return keep.empty() || (keep[(row - first) / 8] >> ((row - first) % 8) & 1) != 0;
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
    p.byte_deltas = slice(b.places->byte_deltas);
    if (!b.places->line_deltas.empty()) {
      p.line_deltas = slice(b.places->line_deltas);
    } else if (p.line_first != 0) {
      p.line_first += first;
    }
    part.places = std::move(p);
  }
}

/// A dirty record of this side for a row that does not fit.
dirty_record refused(const batch& b, std::uint32_t row, const conversion_failure& why, const field& from,
                     const field& to, std::size_t index) {
  dirty_record d = dirty_from_row(b, row, dirty_side::channel);
  d.column = !to.name.empty() ? to.name : !from.name.empty() ? from.name : std::to_string(index);
  d.value = value_text(b.columns[index], from.type, row);
  d.target_type = to_string(to.type);
  d.code = why.code;
  d.message = why.message;
  return d;
}

}  // namespace

std::deque<std::shared_ptr<batch>> convert_batch(const batch& b, const mapping& map,
                                                 const std::shared_ptr<buffer_pool>& pool,
                                                 std::uint64_t part_bytes_max) {
  std::deque<std::shared_ptr<batch>> parts;
  if (map.passes()) {
    parts.push_back(std::make_shared<batch>(b));
    parts.back()->columns_schema = map.target;
    return parts;
  }

  // Transformers say which rows go on; what they refuse is dirty here.
  std::vector<std::uint8_t> wanted(b.rows / 8 + 1, 0xFF);
  std::vector<conversion_failure> failures;
  std::vector<dirty_record> dirty_by_filter;
  std::vector<std::uint8_t> refused_by_filter;
  std::uint64_t filtered = 0;
  if (!map.transformers.empty()) {
    refused_by_filter.assign(b.rows / 8 + 1, 0);
    for (const auto& t : map.transformers) {
      failures.clear();
      t->apply(b, wanted, failures);
      for (const auto& f : failures) {
        const auto bit = static_cast<std::uint8_t>(1u << (f.row % 8));
        if ((refused_by_filter[f.row / 8] & bit) == 0) {
          refused_by_filter[f.row / 8] |= bit;
          dirty_record d = dirty_from_row(b, f.row, dirty_side::channel);
          d.code = f.code;
          d.message = f.message;
          dirty_by_filter.push_back(std::move(d));
        }
      }
    }
    std::sort(dirty_by_filter.begin(), dirty_by_filter.end(),
              [](const auto& x, const auto& y) { return x.position < y.position; });
  }

  auto reader_dirty = b.dirty.begin();
  auto filter_dirty = dirty_by_filter.begin();
  std::uint64_t records_done = 0;
  constexpr std::uint32_t chunk = 1024;
  std::uint32_t row = 0;
  do {
    part_builder part;
    part.first = row;
    part.columns.reserve(map.target->size());
    for (const field& f : *map.target) {
      part.columns.emplace_back(f.type, pool);
    }
    std::vector<std::pair<std::size_t, conversion_failure>> bad;
    // At least one chunk; more while the part stays below the limit. A chunk is cut so that wide rows do not
    // pass it.
    std::uint64_t rows_fit = chunk;
    if (b.rows != 0) {
      const std::uint64_t row_bytes = b.bytes_held() / b.rows + 1;
      rows_fit = std::clamp<std::uint64_t>(part_bytes_max / 2 / row_bytes, 1, chunk);
    }
    while (row < b.rows && (row == part.first || part.bytes() < part_bytes_max / 2)) {
      const auto last = static_cast<std::uint32_t>(std::min<std::uint64_t>(b.rows, row + rows_fit));
      for (std::size_t i = 0; i < map.converters.size(); ++i) {
        if (map.converters[i] == nullptr) {
          part.columns[i].append_range(b.columns[i], row, last - row);
          continue;
        }
        failures.clear();
        map.converters[i]->convert(b.columns[i], row, last, part.columns[i], failures);
        for (auto& f : failures) {
          bad.emplace_back(i, std::move(f));
        }
      }
      row = last;
    }
    part.last = row;

    // The first column to refuse a row is the one named.
    std::stable_sort(bad.begin(), bad.end(),
                     [](const auto& x, const auto& y) { return x.second.row < y.second.row; });
    for (std::uint32_t r = part.first; r < part.last; ++r) {
      if ((wanted[r / 8] >> (r % 8) & 1) == 0) {
        part.refuse(r);
        const bool dirty = !refused_by_filter.empty() && (refused_by_filter[r / 8] >> (r % 8) & 1) != 0;
        filtered += dirty ? 0 : 1;
      } else if (!refused_by_filter.empty() && (refused_by_filter[r / 8] >> (r % 8) & 1) != 0) {
        part.refuse(r);
      }
    }
    for (const auto& [index, why] : bad) {
      if (part.kept(why.row)) {
        part.refuse(why.row);
        part.dirty.push_back(refused(b, why.row, why, (*map.source)[index], (*map.target)[index], index));
      }
    }

    auto out = std::make_shared<batch>();
    out->run = b.run;
    out->split = b.split;
    out->epoch = b.epoch;
    out->columns_schema = map.target;
    out->rows = part.last - part.first;
    for (auto& c : part.columns) {
      out->columns.push_back(c.seal());
    }
    copy_range(b, part.first, part.last, pool, *out);
    out->changed = true;
    out->lease = b.lease;
    const bool is_last = row >= b.rows;
    if (!part.keep.empty()) {
      out = select_rows(*out, part.keep, pool);
    }
    // Dirty records of the reader and the filter that stand before the end of this part.
    const std::uint64_t border = is_last ? ~std::uint64_t{0} : b.position_of(row);
    for (; reader_dirty != b.dirty.end() && reader_dirty->position < border; ++reader_dirty) {
      part.dirty.push_back(*reader_dirty);
    }
    for (; filter_dirty != dirty_by_filter.end() && filter_dirty->position < border; ++filter_dirty) {
      part.dirty.push_back(std::move(*filter_dirty));
    }
    std::sort(part.dirty.begin(), part.dirty.end(),
              [](const auto& x, const auto& y) { return x.position < y.position; });
    out->dirty = std::move(part.dirty);
    out->rows_sum = canonical_sum(out->columns, *map.target, 0, out->rows);
    if (is_last) {
      out->records_read = b.records_read - records_done;
      out->filtered = b.filtered + filtered;
      out->record_bytes = b.record_bytes;
      out->read_sum = b.read_sum;
      out->after = b.after;
      out->split_end = b.split_end;
    } else {
      out->filtered = filtered;
      filtered = 0;
      out->records_read = out->rows + out->dirty.size() + out->filtered;
      records_done += out->records_read;
      out->record_bytes = 0;
      out->read_sum = {};
      out->after.reset();
      out->split_end = false;
    }
    parts.push_back(std::move(out));
  } while (row < b.rows);
  return parts;
}

}  // namespace sluice
