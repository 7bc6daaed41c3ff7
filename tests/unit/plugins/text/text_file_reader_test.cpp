#include <gtest/gtest.h>

#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using namespace text_reading;  // NOLINT(google-build-using-namespace): the test's own helpers

TEST(text_file_reader, reads_quoted_fields_line_ends_and_a_mark_at_the_start) {
  const temporary_folder folder;
  reading r{
      .parameter = {{"path", folder.file("a.csv", "\xEF\xBB\xBFid,text\r\n1,\"a\n\"\"b\"\"\"\n2,\n3,\"\"")},
                    {"skipHeader", "true"},
                    {"nullFormat", ""}}};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(shown(*out), "1|a\n\"b\"\n2|~\n3|\n");
  EXPECT_EQ(out->columns[0].name, "id");
  EXPECT_EQ(out->rows[0].line, 2U);
  EXPECT_EQ(out->rows[1].line, 4U);
  EXPECT_EQ(out->rows[0].byte_offset, 12U);
  EXPECT_EQ(shown_dirty(*out), "");
}

}  // namespace
}  // namespace sluice
