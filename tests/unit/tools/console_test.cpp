#include "tools/cli/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

struct console_to_file : ::testing::Test {
  testing::test_folder folder;
  int fd = ::open(folder.file("out").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  ~console_to_file() override { ::close(fd); }
  [[nodiscard]] std::string out() const { return folder.get("out"); }
};

TEST_F(console_to_file, lines_scroll_above_a_live_area_that_is_drawn_again_below_them) {
  console screen(fd, true, 40);
  screen.show_live({"one", "two"});
  EXPECT_EQ(out(), "one\ntwo\n");
  screen.print("a line\n");
  EXPECT_EQ(out(), "one\ntwo\n\x1b[2F\x1b[Ja line\none\ntwo\n");
  screen.show_live({"three"});
  EXPECT_EQ(out(), "one\ntwo\n\x1b[2F\x1b[Ja line\none\ntwo\n\x1b[2F\x1b[Jthree\n");
  screen.clear_live();
  EXPECT_TRUE(out().ends_with("three\n\x1b[1F\x1b[J"));
}

TEST_F(console_to_file, without_a_terminal_no_control_sequence_is_written) {
  {
    console screen(fd, false);
    screen.show_live({"one"});
    screen.print("a line\n");
    screen.clear_live();
  }
  EXPECT_EQ(out(), "a line\n");
}

TEST_F(console_to_file, the_live_area_is_gone_with_its_console) {
  { console(fd, true, 40).show_live({"one"}); }
  EXPECT_EQ(out(), "one\n\x1b[1F\x1b[J");
}

TEST_F(console_to_file, a_live_line_never_wraps) {
  console screen(fd, true, 10);
  screen.show_live({"0123456789"});
  EXPECT_EQ(out(), "01234567…\n");
}

TEST(cut_to_columns, cuts_between_characters_and_says_so) {
  EXPECT_EQ(cut_to_columns("abc", 3), "abc");
  EXPECT_EQ(cut_to_columns("abcd", 3), "ab…");
  EXPECT_EQ(cut_to_columns("äöü", 3), "äöü");
  EXPECT_EQ(cut_to_columns("äöüß", 3), "äö…");
  EXPECT_EQ(cut_to_columns("", 3), "");
  EXPECT_EQ(cut_to_columns("abc", 0), "");
}

}  // namespace
}  // namespace sluice
