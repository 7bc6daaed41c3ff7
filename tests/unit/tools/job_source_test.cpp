#include "tools/cli/job_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/tools/sample_plugins.h"
#include "tools/cli/plugin_names.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A pipe with a text in it whose other end is closed.
struct filled_pipe {
  int read_fd = -1;
  explicit filled_pipe(const std::string& text) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
    read_fd = ends[0];
  }
  filled_pipe(const filled_pipe&) = delete;
  filled_pipe& operator=(const filled_pipe&) = delete;
  ~filled_pipe() { ::close(read_fd); }
};

TEST(job_source, reads_standard_input_once_and_names_it_in_messages) {
  const filled_pipe input("{\"type\": \"job\",\n  \"steps\": 5}");
  job_source source(input.read_fd);
  for (int i = 0; i < 2; ++i) {
    const auto loaded = source.load("-", {}, lookup_in(testing::sample_plugins()));
    ASSERT_FALSE(loaded.has_value());
    EXPECT_THAT(loaded.error().lines.front(), StartsWith("standard input:2:"));
  }
}

TEST(job_source, an_empty_standard_input_is_an_error_that_says_so) {
  const filled_pipe input("");
  const auto loaded = job_source(input.read_fd).load("-", {}, lookup_in(testing::sample_plugins()));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().lines, ElementsAre(HasSubstr("standard input")));
}

TEST(job_source, a_standard_input_that_is_closed_is_an_error) {
  const auto loaded = job_source(-1).load("-", {}, lookup_in(testing::sample_plugins()));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().lines, ElementsAre(HasSubstr("standard input: reading failed")));
}

TEST(job_source, a_file_is_a_file) {
  const auto loaded = job_source(-1).load("/nowhere/a.json", {}, lookup_in(testing::sample_plugins()));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().lines, ElementsAre(StartsWith("/nowhere/a.json: cannot be opened")));
}

TEST(job_name, is_the_file_s_name_without_json) {
  EXPECT_EQ(job_name_of_file("jobs/orders.json"), "orders");
  EXPECT_EQ(job_name_of_file("orders"), "orders");
  EXPECT_EQ(job_name_of_file("-"), "stdin");
}

}  // namespace
}  // namespace sluice
