#include "plugins/text/packed_mark.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

using namespace std::string_view_literals;

TEST(packed_mark, each_packer_is_known_and_bzip2_at_every_level) {
  EXPECT_EQ(packed_by("\x1f\x8b\x08\0\0\0\0\0\0\x03"sv), "gzip");
  EXPECT_EQ(packed_by("\x28\xb5\x2f\xfd\x04"sv), "zstd");
  EXPECT_EQ(packed_by("PK\x03\x04"sv), "zip");
  EXPECT_EQ(packed_by("\xfd\x37zXZ\0"sv), "xz");
  for (char level = '1'; level <= '9'; ++level) {
    EXPECT_EQ(packed_by(std::string("BZh") + level + "\x31\x41\x59\x26\x53\x59"), "bzip2") << level;
  }
}

TEST(packed_mark, text_that_begins_alike_is_text) {
  for (const auto text : {"BZh9,first heading"sv, "PK,name"sv, "BZh"sv, ""sv, "id,name"sv}) {
    EXPECT_EQ(packed_by(text), "") << text;
  }
}

}  // namespace
}  // namespace sluice
