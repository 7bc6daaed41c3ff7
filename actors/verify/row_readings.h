#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "plugins/api/read_back.h"
#include "transport/base/result.h"
#include "transport/record/batch.h"
#include "transport/record/sum.h"

namespace sluice {

/// What records of a side are compared by. Immutable.
struct compared_columns {
  schema_ptr columns;                ///< As they come.
  std::vector<std::uint32_t> taken;  ///< Those that are compared, in order.
  std::vector<std::uint32_t> key;    ///< By which a record is known; empty: by all that is compared.
  /// Of texts that are compared without the blanks at their end: the server pads them. By index in `columns`.
  std::vector<std::uint32_t> padded = {};
  /// One a column where records are compared as the texts that the destination writes; else empty.
  std::vector<written_text> texts = {};
  /// Sums over them are those of a run that has written the same columns.
  [[nodiscard]] bool is_whole() const {
    return padded.empty() && texts.empty() && taken.size() == columns->size();
  }
};

/// The columns of a batch in the form in which they are compared, all of them.
struct compared_batch {
  std::vector<column> columns;
  schema types;
};
compared_batch compared_form(const batch& b, const compared_columns& by);

/// The hashes of a batch's rows in canonical/1: over the key's columns, and over all that are compared.
struct hashed_rows {
  std::vector<row_sum> keys;
  std::vector<row_sum> rows;
};
hashed_rows hash_rows_of(const compared_batch& b, std::uint32_t rows, const compared_columns& by);

/// Records are told apart by their key's hash into this many heaps, so that two sides which differ are known
/// to differ in few of them.
inline constexpr std::uint32_t heap_count = 1u << 16;
inline std::uint32_t heap_of(row_sum key) {
  return static_cast<std::uint32_t>(key.value) % heap_count;
}

/// One reading of one side of a comparison: what is kept of the rows that come by. Splits are read by several
/// threads, each into a share of its own; a share counts once its split is read to the end.
class row_reading {
 public:
  class share {
   public:
    virtual ~share() = default;
    virtual void add(const compared_batch& b, const hashed_rows& hashes) = 0;
  };
  virtual ~row_reading() = default;
  [[nodiscard]] virtual std::unique_ptr<share> begin() const = 0;
  /// Asked behind each batch: a failure ends the reading, since nothing will come of it. Thread-safe.
  [[nodiscard]] virtual result<void> goes_on() const { return {}; }
  /// Thread-safe; `done` is one of its own shares.
  void take(share& done) {
    const std::lock_guard lock(mutex_);
    merge(done);
  }

 protected:
  virtual void merge(share& done) = 0;

 private:
  std::mutex mutex_;
};

/// Counts and sums, in all and by heap.
struct row_tally {
  struct heap {
    std::uint64_t rows = 0;
    row_sum sum;
    friend bool operator==(const heap&, const heap&) = default;
  };
  std::uint64_t rows = 0;
  row_sum sum;
  std::vector<heap> heaps = std::vector<heap>(heap_count);
  void add(row_sum key, row_sum row);
  row_tally& operator+=(const row_tally& o);
};

/// Keys of one side by half of their hash, sorted: by them the rows of the other are told apart that are none
/// of the job's.
using key_set = std::vector<std::uint64_t>;
bool has_key(const key_set& known, row_sum key);

/// Counts and sums what comes; on request keeps its keys too, or counts those of a set of keys apart.
class tally_reading final : public row_reading {
 public:
  /// `keys_max` other than 0: keys are kept, up to so many by all shares together; with more records it does
  /// not go on (`no_room`). `known`, sorted: rows with one of these keys are counted apart; must outlive it.
  explicit tally_reading(std::uint64_t keys_max = 0, const key_set* known = nullptr)
      : keys_max_(keys_max), known_(known) {}
  [[nodiscard]] std::unique_ptr<share> begin() const override;
  [[nodiscard]] result<void> goes_on() const override;
  [[nodiscard]] bool has_too_many() const { return kept_->too_many; }

  // When all is read.
  [[nodiscard]] const row_tally& all() const { return all_; }
  [[nodiscard]] const row_tally& known() const { return known_rows_; }
  /// Sorted; nothing where there were more than `keys_max`.
  [[nodiscard]] std::optional<key_set> take_keys();

 protected:
  void merge(share& done) override;

 private:
  struct part;
  std::uint64_t keys_max_;
  const key_set* known_;
  row_tally all_, known_rows_;
  key_set keys_;
  /// Of all shares, also of those that are not read to their end.
  struct kept_keys {
    std::atomic<std::uint64_t> count{0};
    std::atomic<bool> too_many{false};
  };
  std::shared_ptr<kept_keys> kept_ = std::make_shared<kept_keys>();
};

/// How often each record of the chosen heaps is there.
class gather_reading final : public row_reading {
 public:
  struct hash_of {
    std::size_t operator()(row_sum s) const { return static_cast<std::size_t>(s.value >> 64); }
  };
  /// By key, then by row: how often.
  using rows_of_key = std::vector<std::pair<row_sum, std::uint64_t>>;
  using rows_by_key = std::unordered_map<row_sum, rows_of_key, hash_of>;

  /// `known`, sorted: rows with another key are passed over; must outlive it.
  explicit gather_reading(std::vector<bool> heaps, const key_set* known = nullptr)
      : heaps_(std::move(heaps)), known_(known) {}
  [[nodiscard]] std::unique_ptr<share> begin() const override;
  [[nodiscard]] const rows_by_key& rows() const { return rows_; }

 protected:
  void merge(share& done) override;

 private:
  struct part;
  std::vector<bool> heaps_;
  const key_set* known_;
  rows_by_key rows_;
};

/// The records with certain keys, as text.
class fetch_reading final : public row_reading {
 public:
  /// A value as text, of which a long one keeps its beginning only.
  struct value {
    std::optional<std::string> text;  ///< Nothing: NULL.
    std::uint64_t bytes = 0;          ///< Of the whole text.
    std::uint64_t hash = 0;  ///< Likewise; of NULL another than of any text that is likely to be met.
    friend bool operator==(const value&, const value&) = default;
  };
  static value kept(std::optional<std::string> text);
  struct record {
    row_sum row;
    std::vector<value> values;  ///< One a column that is compared.
  };
  using records_by_key = std::unordered_map<row_sum, std::vector<record>, gather_reading::hash_of>;
  using keys = std::unordered_set<row_sum, gather_reading::hash_of>;

  fetch_reading(keys wanted, std::shared_ptr<const compared_columns> by)
      : wanted_(std::move(wanted)), by_(std::move(by)) {}
  [[nodiscard]] std::unique_ptr<share> begin() const override;
  [[nodiscard]] const records_by_key& records() const { return records_; }

 protected:
  void merge(share& done) override;

 private:
  struct part;
  keys wanted_;
  std::shared_ptr<const compared_columns> by_;
  records_by_key records_;
};

}  // namespace sluice
