#include "tools/cli/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

TEST(files, a_symbolic_link_stays_and_what_it_points_to_is_replaced) {
  const testing::test_folder folder;
  folder.put("real/summary.json", "old");
  std::filesystem::create_symlink("real/summary.json", folder.file("link.json"));
  ASSERT_TRUE(write_file_whole(folder.file("link.json"), "new", 0600));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link.json")));
  EXPECT_EQ(folder.get("real/summary.json"), "new");
}

TEST(files, a_link_to_a_file_that_is_not_there_yet_makes_that_file) {
  const testing::test_folder folder;
  std::filesystem::create_symlink("later.json", folder.file("link.json"));
  ASSERT_TRUE(write_file_whole(folder.file("link.json"), "new", 0600));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link.json")));
  EXPECT_EQ(folder.get("later.json"), "new");
}

TEST(files, a_pipe_is_written_into_and_one_without_a_reader_is_refused) {
  const testing::test_folder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(write_file_whole(pipe, "new", 0600));
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_TRUE(write_file_whole(pipe, "new", 0600));
  char got[8] = {};
  EXPECT_EQ(::read(reader, got, sizeof got), 3);
  EXPECT_STREQ(got, "new");
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(files, an_open_descriptor_is_written_on_with_and_its_file_stays_in_place) {
  const testing::test_folder folder;
  const int fd = ::open(folder.file("out.txt").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::write(fd, "before ", 7), 7);
  ASSERT_TRUE(write_file_whole("/dev/fd/" + std::to_string(fd), "summary", 0600));
  ASSERT_EQ(::write(fd, " behind", 7), 7);
  ::close(fd);
  EXPECT_EQ(folder.get("out.txt"), "before summary behind");
  EXPECT_FALSE(write_file_whole("/dev/fd/" + std::to_string(fd), "summary", 0600)) << "it is closed";
}

TEST(files, a_device_stays_a_device) {
  ASSERT_TRUE(write_file_whole("/dev/null", "new", 0600));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(files, a_folder_is_refused) {
  const testing::test_folder folder;
  EXPECT_FALSE(write_file_whole(folder.path(), "new", 0600));
}

}  // namespace
}  // namespace sluice
