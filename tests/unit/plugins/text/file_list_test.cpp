#include "plugins/common/files/file_list.h"

#include <gmock/gmock.h>

#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using text_reading::temporary_folder;

TEST(files_matching, a_question_mark_is_one_character_whatever_its_bytes) {
  const temporary_folder folder;
  for (const char* name : {"a.csv", "\u00e4.csv", "\u65e5.csv", "ab.csv", "\xff.csv", "b.txt"}) {
    static_cast<void>(folder.file(name, ""));
  }
  const auto found = [&](const std::string& pattern) {
    auto files = files_matching(folder.path(pattern)).value();
    for (std::string& file : files) {
      file = std::filesystem::path(file).filename();
    }
    return files;
  };
  EXPECT_THAT(found("?.csv"), ElementsAre("a.csv", "\u00e4.csv", "\u65e5.csv", "\xff.csv"));
  EXPECT_THAT(found("[\u00e4\u65e5].csv"), ElementsAre("\u00e4.csv", "\u65e5.csv"));
  EXPECT_THAT(found("*.csv"), ElementsAre("a.csv", "ab.csv", "\u00e4.csv", "\u65e5.csv", "\xff.csv"));
  EXPECT_THAT(found("?b.csv"), ElementsAre("ab.csv"));
}

}  // namespace
}  // namespace sluice
