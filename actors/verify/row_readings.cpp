#include "actors/verify/row_readings.h"

#include <algorithm>

#include "transport/base/text.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

/// Records of one key that are fetched; those beyond are like them.
constexpr std::size_t records_a_key_max = 10;
/// Of a value that is fetched.
constexpr std::size_t value_bytes_kept = 4096;

/// A column of texts, made one by one.
class text_column {
 public:
  explicit text_column(std::uint32_t rows) { made_->offsets.reserve(std::size_t{rows} + 1); }
  [[nodiscard]] std::string& text() { return made_->values; }
  void end_row(bool valid) {
    const std::size_t row = made_->offsets.size() - 1;
    made_->offsets.push_back(static_cast<std::int32_t>(made_->values.size()));
    made_->validity.resize(row / 8 + 1);
    if (valid) {
      made_->validity[row / 8] = static_cast<std::uint8_t>(made_->validity[row / 8] | 1u << row % 8);
    } else {
      ++nulls_;
    }
  }
  column seal() {
    // Whoever hashes reads some bytes beyond a text.
    const std::size_t size = made_->values.size();
    made_->values.resize(size + growing_buffer::slack_bytes);
    made_->validity.resize(made_->validity.size() + growing_buffer::slack_bytes);
    column out;
    out.null_count = nulls_;
    if (nulls_ != 0) {
      out.validity = {reinterpret_cast<const std::byte*>(made_->validity.data()), made_->validity.size(),
                      made_};
    }
    out.offsets = {reinterpret_cast<const std::byte*>(made_->offsets.data()),
                   made_->offsets.size() * sizeof(std::int32_t), made_};
    out.values = {reinterpret_cast<const std::byte*>(made_->values.data()), size, made_};
    return out;
  }

 private:
  struct room {
    std::vector<std::int32_t> offsets = {0};
    std::vector<std::uint8_t> validity;
    std::string values;
  };
  std::shared_ptr<room> made_ = std::make_shared<room>();
  std::uint32_t nulls_ = 0;
};

column without_padding(const column& c, std::uint32_t rows) {
  text_column out(rows);
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (!c.is_null(row)) {
      const std::string_view text = c.get_bytes(row);
      out.text() += text.substr(0, text.find_last_not_of(' ') + 1);
    }
    out.end_row(!c.is_null(row));
  }
  return out.seal();
}

column as_written(const column& c, std::uint32_t rows, const written_text& text) {
  text_column out(rows);
  for (std::uint32_t row = 0; row < rows; ++row) {
    out.end_row(text(c, row, out.text()));
  }
  return out.seal();
}

std::vector<row_sum> hashes_over(const compared_batch& b, std::uint32_t rows,
                                 const std::vector<std::uint32_t>& taken) {
  std::vector<column> columns;
  schema s;
  for (const std::uint32_t i : taken) {
    columns.push_back(b.columns[i]);
    s.push_back(b.types[i]);
  }
  return canonical_hashes(columns, s, 0, rows);
}

}  // namespace

compared_batch compared_form(const batch& b, const compared_columns& by) {
  compared_batch out{b.columns, *b.columns_schema};
  for (std::size_t i = 0; i < by.texts.size(); ++i) {
    out.columns[i] = as_written(b.columns[i], b.rows, by.texts[i]);
    out.types[i].type = type_of(type_id::utf8);
  }
  for (const std::uint32_t i : by.padded) {
    out.columns[i] = without_padding(out.columns[i], b.rows);
  }
  return out;
}

hashed_rows hash_rows_of(const compared_batch& b, std::uint32_t rows, const compared_columns& by) {
  hashed_rows out;
  out.rows = by.taken.size() == b.columns.size() ? canonical_hashes(b.columns, b.types, 0, rows)
                                                 : hashes_over(b, rows, by.taken);
  out.keys = by.key.empty() ? out.rows : hashes_over(b, rows, by.key);
  return out;
}

void row_tally::add(row_sum key, row_sum row) {
  ++rows;
  sum += row;
  heap& h = heaps[heap_of(key)];
  ++h.rows;
  h.sum += row;
}

namespace {

std::uint64_t half_of(row_sum key) {
  return static_cast<std::uint64_t>(key.value >> 64);
}

}  // namespace

bool has_key(const key_set& known, row_sum key) {
  return std::binary_search(known.begin(), known.end(), half_of(key));
}

row_tally& row_tally::operator+=(const row_tally& o) {
  rows += o.rows;
  sum += o.sum;
  for (std::uint32_t i = 0; i < heap_count; ++i) {
    heaps[i].rows += o.heaps[i].rows;
    heaps[i].sum += o.heaps[i].sum;
  }
  return *this;
}

struct tally_reading::part final : share {
  part(const key_set* known_keys, std::uint64_t keys_at_most, std::shared_ptr<kept_keys> kept_by_all)
      : known(known_keys), keys_max(keys_at_most), kept(std::move(kept_by_all)) {
    if (known == nullptr) {
      known_rows.heaps = {};
    }
  }
  part(const part&) = delete;
  part& operator=(const part&) = delete;
  ~part() override { kept->count -= keys.size(); }
  void add(const compared_batch&, const hashed_rows& hashes) override {
    const bool keeps = keys_max != 0 && make_room(hashes.rows.size());
    for (std::uint32_t row = 0; row < hashes.rows.size(); ++row) {
      const row_sum key = hashes.keys[row];
      all.add(key, hashes.rows[row]);
      if (keeps) {
        keys.push_back(half_of(key));
      }
      if (known != nullptr && has_key(*known, key)) {
        known_rows.add(key, hashes.rows[row]);
      }
    }
  }
  /// For the keys of so many records more.
  [[nodiscard]] bool make_room(std::uint64_t records) const {
    if (!kept->too_many && (kept->count += records) > keys_max) {
      kept->count -= records;
      kept->too_many = true;
    }
    return !kept->too_many;
  }
  const key_set* known;
  std::uint64_t keys_max;
  std::shared_ptr<kept_keys> kept;
  row_tally all;
  row_tally known_rows;
  key_set keys;
};

std::unique_ptr<row_reading::share> tally_reading::begin() const {
  return std::make_unique<part>(known_, keys_max_, kept_);
}

result<void> tally_reading::goes_on() const {
  return has_too_many() ? fail(error_kind::no_room, "there are more than {} records, whose keys are kept",
                               with_thousands(keys_max_))
                        : result<void>();
}

void tally_reading::merge(share& done) {
  auto& p = static_cast<part&>(done);
  all_ += p.all;
  if (known_ != nullptr) {
    known_rows_ += p.known_rows;
  }
  if (has_too_many()) {
    keys_ = {};
  } else {
    keys_.insert(keys_.end(), p.keys.begin(), p.keys.end());
    p.keys = {};  // they are ours, and stay counted
  }
}

std::optional<key_set> tally_reading::take_keys() {
  if (has_too_many()) {
    return std::nullopt;
  }
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  return std::move(keys_);
}

namespace {

void count(gather_reading::rows_of_key& of, row_sum row, std::uint64_t times) {
  const auto same = std::find_if(of.begin(), of.end(), [&](const auto& one) { return one.first == row; });
  if (same == of.end()) {
    of.emplace_back(row, times);
  } else {
    same->second += times;
  }
}

}  // namespace

struct gather_reading::part final : share {
  part(const std::vector<bool>& chosen, const key_set* known_keys) : heaps(chosen), known(known_keys) {}
  void add(const compared_batch&, const hashed_rows& hashes) override {
    for (std::uint32_t row = 0; row < hashes.rows.size(); ++row) {
      const row_sum key = hashes.keys[row];
      if (heaps[heap_of(key)] && (known == nullptr || has_key(*known, key))) {
        count(rows[hashes.keys[row]], hashes.rows[row], 1);
      }
    }
  }
  const std::vector<bool>& heaps;
  const key_set* known;
  rows_by_key rows;
};

std::unique_ptr<row_reading::share> gather_reading::begin() const {
  return std::make_unique<part>(heaps_, known_);
}

void gather_reading::merge(share& done) {
  for (const auto& [key, rows] : static_cast<part&>(done).rows) {
    for (const auto& [row, times] : rows) {
      count(rows_[key], row, times);
    }
  }
}

fetch_reading::value fetch_reading::kept(std::optional<std::string> text) {
  value v;
  if (text) {
    v.bytes = text->size();
    v.hash = std::hash<std::string_view>()(*text);
    text->resize(std::min(text->size(), value_bytes_kept));
    text->shrink_to_fit();
  } else {
    v.hash = ~std::uint64_t{0};
  }
  v.text = std::move(text);
  return v;
}

struct fetch_reading::part final : share {
  part(const keys& those, const compared_columns& columns) : wanted(those), by(columns) {}
  void add(const compared_batch& b, const hashed_rows& hashes) override {
    for (std::uint32_t row = 0; row < hashes.rows.size(); ++row) {
      if (!wanted.contains(hashes.keys[row])) {
        continue;
      }
      auto& of = records[hashes.keys[row]];
      if (of.size() >= records_a_key_max) {
        continue;
      }
      record r;
      r.row = hashes.rows[row];
      for (const std::uint32_t i : by.taken) {
        r.values.push_back(kept(value_text(b.columns[i], b.types[i].type, row)));
      }
      of.push_back(std::move(r));
    }
  }
  const keys& wanted;
  const compared_columns& by;
  records_by_key records;
};

std::unique_ptr<row_reading::share> fetch_reading::begin() const {
  return std::make_unique<part>(wanted_, *by_);
}

void fetch_reading::merge(share& done) {
  for (auto& [key, records] : static_cast<part&>(done).records) {
    auto& of = records_[key];
    for (record& r : records) {
      if (of.size() < records_a_key_max) {
        of.push_back(std::move(r));
      }
    }
  }
}

}  // namespace sluice
