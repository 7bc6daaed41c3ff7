#include "plugins/mysql/mysql_table_state.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

const table_state before{"2026-11-26 10:00:00", "4711", "1 12 12", 10};

table_state with(void (*change)(table_state&)) {
  table_state now = before;
  change(now);
  return now;
}

TEST(table_state, is_the_same_while_rows_come_and_go) {
  EXPECT_EQ(what_changed(before, before), "");
  EXPECT_EQ(what_changed(before, with([](table_state& s) { s.next_number = 11; })), "");
}

TEST(table_state, tells_a_table_that_was_altered_also_within_the_second_in_which_it_was_made) {
  EXPECT_EQ(what_changed(before, with([](table_state& s) { s.altered = "2026-11-26 10:00:01"; })),
            "was altered");
  EXPECT_EQ(what_changed(before, with([](table_state& s) { s.columns = "4712"; })), "was altered");
}

TEST(table_state, tells_a_table_that_was_emptied_by_its_files_or_its_next_number) {
  EXPECT_NE(what_changed(before, with([](table_state& s) { s.storage = "1 13 13"; })), "");
  EXPECT_NE(what_changed(before, with([](table_state& s) { s.next_number = 1; })), "");
}

TEST(table_state, tells_nothing_of_what_the_server_does_not_say) {
  table_state untold = before;
  untold.storage.clear();
  untold.next_number.reset();
  EXPECT_EQ(what_changed(untold, before), "");
  EXPECT_EQ(what_changed(before, with([](table_state& s) { s.next_number.reset(); })), "");
  EXPECT_EQ(what_changed(before, {}), "") << "it is gone, which the SELECT says better";
}

}  // namespace
}  // namespace sluice::mysql
