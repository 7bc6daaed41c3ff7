#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "transport/record/batch_builder.h"

/// Random columns and what they must hold, for tests of whatever takes a batch.
namespace sluice::test {

/// Each type, each unit, several scales.
const std::vector<data_type>& every_type();

/// A value as its stored bytes (a boolean as one byte 0 or 1); nothing is NULL.
using raw_value = std::optional<std::string>;
using raw_row = std::vector<raw_value>;

/// Seeded, so that a failure can be repeated.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  /// A valid value of the type, often an extreme one.
  std::string value(const data_type& type);
  raw_value value_or_null(const data_type& type, unsigned null_percent);
  /// A schema of `columns` random types; every third is not nullable.
  schema_ptr columns(std::size_t columns);
  raw_row row(const schema& s);

 private:
  std::string digits(std::size_t count_max);
  std::mt19937_64 engine_;
};

void append(column_builder& to, const raw_value& value);

/// What stands in the column.
raw_value read(const column& c, const data_type& type, std::uint32_t row);

/// A batch with rows, refused records, a cursor and places, all random; identity filled in.
std::shared_ptr<batch> random_batch(random_source& random, const schema_ptr& columns, std::uint32_t records,
                                    const std::shared_ptr<buffer_pool>& pool);

/// Everything the two hold is equal (gtest expectations), but schema and lease.
void expect_equal(const batch& a, const batch& b);

}  // namespace sluice::test
