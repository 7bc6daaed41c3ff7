#include "plugins/mysql/mysql_writer.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

/// As the server answers: rows affected, `Records`, `Duplicates` or `Deleted`.
statement_answer answered(std::uint64_t affected, std::uint64_t records, std::uint64_t duplicates) {
  statement_answer a;
  a.affected = affected;
  a.records = records;
  a.duplicates = duplicates;
  return a;
}

TEST(parts_of, an_insert_makes_new_rows_and_nothing_else) {
  EXPECT_EQ(parts_of(answered(7, 7, 0), 7, write_mode::insert, true), (written_parts{7}));
  EXPECT_EQ(parts_of(answered(4, 7, 0), 7, write_mode::ignore, true), (written_parts{4}));
}

TEST(parts_of, an_update_tells_new_updated_and_unchanged_rows_apart) {
  // Four rows: two are new (1 each), one is updated (2), one has the values already (0).
  EXPECT_EQ(parts_of(answered(4, 4, 1), 4, write_mode::update, true), (written_parts{2, 1, 0, 1}));
  EXPECT_EQ(parts_of(answered(8, 4, 4), 4, write_mode::update, false), (written_parts{0, 4, 0, 0}));
  EXPECT_EQ(parts_of(answered(0, 4, 0), 4, write_mode::update, true), (written_parts{0, 0, 0, 4}));
  // Of one row the server says no more than the rows affected.
  EXPECT_EQ(parts_of(answered(1, 0, 0), 1, write_mode::update, true), (written_parts{1}));
  EXPECT_EQ(parts_of(answered(2, 0, 0), 1, write_mode::update, true), (written_parts{0, 1}));
  EXPECT_EQ(parts_of(answered(0, 0, 0), 1, write_mode::update, true), (written_parts{0, 0, 0, 1}));
}

TEST(parts_of, numbers_that_do_not_add_up_tell_nothing) {
  EXPECT_EQ(parts_of(answered(1, 4, 1), 4, write_mode::update, true), written_parts());
  EXPECT_EQ(parts_of(answered(9, 4, 1), 4, write_mode::update, true), written_parts());
}

TEST(parts_of, a_replacement_tells_the_rows_it_removed_where_there_is_one_key) {
  EXPECT_EQ(parts_of(answered(4, 3, 1), 3, write_mode::replace, true), (written_parts{0, 0, 1}));
  EXPECT_EQ(parts_of(answered(4, 3, 1), 3, write_mode::replace, false), written_parts())
      << "one record may take the place of two rows";
  EXPECT_EQ(parts_of(answered(2, 0, 0), 1, write_mode::replace, true), (written_parts{0, 0, 1}));
  EXPECT_EQ(parts_of(answered(1, 0, 0), 1, write_mode::replace, true), written_parts())
      << "new, or as it was there";
}

}  // namespace
}  // namespace sluice::mysql
