#include "tests/conformance/source_suite.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace sluice::testing {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SourceSuite);

namespace {

using batches = std::vector<std::shared_ptr<batch>>;

batch_builder::limits small_limits(std::uint32_t rows_max) {
  batch_builder::limits limits;
  limits.rows_max = rows_max;
  return limits;
}

/// The source of the parameter, opened and split.
struct at_work {
  explicit at_work(const source_quirks& q, std::uint32_t advice = 1) {
    const std::string parameter = q.fill(folder);
    opened = open_source(q.make_plugin(), parameter, advice);
  }
  [[nodiscard]] batches read(const split& s, const batch_builder::limits& limits,
                             const std::optional<cursor>& after = std::nullopt,
                             std::size_t* needs = nullptr) const {
    auto reader = opened.object->make_reader();
    EXPECT_TRUE(reader) << reader.error().message;
    return reader ? read_split(**reader, opened.description, s, limits, after, needs) : batches();
  }
  temporary_folder folder;
  opened_source opened;
};

std::vector<dirty_record> dirty_of(const batches& all) {
  std::vector<dirty_record> found;
  for (const auto& b : all) {
    found.insert(found.end(), b->dirty.begin(), b->dirty.end());
  }
  return found;
}

template <class T>
std::vector<T> sorted(std::vector<T> list) {
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<std::string> codes_of(const std::vector<dirty_record>& records) {
  std::vector<std::string> codes;
  for (const dirty_record& r : records) {
    codes.push_back(r.code);
  }
  return codes;
}

TEST_P(SourceSuite, DescribesItsColumnsAndWhatItReads) {
  const at_work work(GetParam());
  ASSERT_NE(work.opened.description.columns, nullptr);
  EXPECT_FALSE(work.opened.description.columns->empty());
  EXPECT_FALSE(work.opened.description.statements.empty()) << "plan and summary show what is read";
  ASSERT_FALSE(work.opened.splits.empty()) << "there is at least one split";
  for (const split& s : work.opened.splits) {
    EXPECT_FALSE(s.label.empty());
    const auto again = scalars_from_json(to_json(s.description));
    ASSERT_TRUE(again) << "a split's description is frozen as JSON";
    EXPECT_EQ(*again, s.description);
  }
}

TEST_P(SourceSuite, GivesEveryRecordOfAllSplitsOnce) {
  for (const std::uint32_t advice : {1U, 4U}) {
    const at_work work(GetParam(), advice);
    std::vector<std::string> rows;
    std::vector<dirty_record> dirty;
    std::uint64_t read = 0;
    for (const split& s : work.opened.splits) {
      const batches all = work.read(s, {});
      for (const auto& b : all) {
        EXPECT_EQ(b->records_read, b->rows + b->dirty.size());
        read += b->records_read;
      }
      for (std::string& row : rows_of(all)) {
        rows.push_back(std::move(row));
      }
      for (dirty_record& r : dirty_of(all)) {
        dirty.push_back(std::move(r));
      }
    }
    if (GetParam().rows) {
      EXPECT_EQ(sorted(rows), sorted(*GetParam().rows)) << "with " << advice << " pipelines";
    } else {
      EXPECT_EQ(read, GetParam().records(advice));
    }
    EXPECT_EQ(sorted(codes_of(dirty)), sorted(GetParam().dirty_codes));
  }
}

TEST_P(SourceSuite, IsRepeatableWhereItSaysSo) {
  const at_work work(GetParam());
  if (!work.opened.description.repeatable) {
    GTEST_SKIP() << "says it is not";
  }
  for (const split& s : work.opened.splits) {
    const batches first = work.read(s, {});
    const batches again = work.read(s, small_limits(3));
    EXPECT_EQ(rows_of(first), rows_of(again));
    EXPECT_EQ(dirty_of(first), dirty_of(again));
    row_sum first_sum;
    row_sum again_sum;
    for (const auto& b : first) {
      first_sum += b->read_sum;
    }
    for (const auto& b : again) {
      again_sum += b->read_sum;
    }
    EXPECT_EQ(to_string(first_sum), to_string(again_sum));
  }
}

TEST_P(SourceSuite, GoesOnExactlyBehindEachCursorWhereItSaysSo) {
  const at_work work(GetParam());
  if (!work.opened.description.resumable) {
    GTEST_SKIP() << "says it does not";
  }
  std::size_t cursors = 0;
  for (const split& s : work.opened.splits) {
    const batches all = work.read(s, small_limits(2));
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      if (!all[i]->after) {
        continue;
      }
      ++cursors;
      const auto stored = scalars_from_json(to_json(*all[i]->after));
      ASSERT_TRUE(stored) << "a cursor is stored as JSON";
      const batches rest(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end());
      const batches resumed = work.read(s, {}, *stored);
      EXPECT_EQ(rows_of(resumed), rows_of(rest)) << "behind " << to_json(*all[i]->after);
      EXPECT_EQ(codes_of(dirty_of(resumed)), codes_of(dirty_of(rest)));
    }
  }
  EXPECT_GT(cursors, 0U) << "a source that says it resumes makes cursors";
}

TEST_P(SourceSuite, AReaderMayBeOpenedForAnySplitAtAnyTime) {
  const at_work work(GetParam(), 4);
  auto reader = work.opened.object->make_reader();
  ASSERT_TRUE(reader);
  const split& first = work.opened.splits.front();
  const auto whole = rows_of(read_split(**reader, work.opened.description, first, {}));
  ASSERT_TRUE((*reader)->open(work.opened.splits.back().description, std::nullopt, {}));
  batch_builder builder(work.opened.description.columns, buffer_pool::make(1 << 20), small_limits(1));
  ASSERT_TRUE((*reader)->read(builder, {}));
  if (work.opened.description.repeatable) {
    EXPECT_EQ(rows_of(read_split(**reader, work.opened.description, first, {})), whole);
  }
}

TEST_P(SourceSuite, KeepsToTheLimitsAndAsksForRoomWhereARecordNeedsIt) {
  const at_work work(GetParam());
  const split& s = work.opened.splits.front();
  const batches wide = work.read(s, {});
  for (const auto& b : work.read(s, small_limits(1))) {
    EXPECT_LE(b->rows, 1U);
  }
  batch_builder::limits narrow;
  narrow.bytes_target = 1;
  narrow.bytes_max = 1;  // Smaller than any record: `read_split` grants what is asked for.
  std::size_t needs = 0;
  const batches one_by_one = work.read(s, narrow, std::nullopt, &needs);
  EXPECT_GT(needs, 0U) << "a record that does not fit must be asked for, not put in all the same";
  EXPECT_EQ(codes_of(dirty_of(one_by_one)), codes_of(dirty_of(wide)));
  if (work.opened.description.repeatable) {
    EXPECT_EQ(rows_of(one_by_one), rows_of(wide));
  }
}

TEST_P(SourceSuite, ReturnsWhenTheStopHasFired) {
  const at_work work(GetParam());
  auto reader = work.opened.object->make_reader();
  ASSERT_TRUE(reader);
  ASSERT_TRUE((*reader)->open(work.opened.splits.front().description, std::nullopt, {}));
  const stop_source stop;
  stop.fire();
  batch_builder builder(work.opened.description.columns, buffer_pool::make(1 << 20), {});
  const auto answer = (*reader)->read(builder, stop.signal());
  if (!answer) {
    EXPECT_EQ(answer.error().kind, error_kind::cancelled) << answer.error().message;
  }
}

TEST_P(SourceSuite, RefusesABadRecordWhole) {
  const at_work work(GetParam());
  if (GetParam().dirty_codes.empty()) {
    GTEST_SKIP() << "this source has no bad records";
  }
  for (const split& s : work.opened.splits) {
    std::uint64_t position = 0;
    for (const auto& b : work.read(s, small_limits(3))) {
      for (const dirty_record& r : b->dirty) {
        EXPECT_EQ(r.side, dirty_side::reader);
        EXPECT_GE(r.position, position);
        EXPECT_LT(r.position, position + b->records_read);
        EXPECT_FALSE(r.code.empty());
        EXPECT_FALSE(r.message.empty());
        EXPECT_FALSE(r.record.empty()) << "the whole record is kept";
      }
      position += b->records_read;
    }
  }
}

}  // namespace
}  // namespace sluice::testing
