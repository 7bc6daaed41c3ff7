#include "tools/cli/job_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::test_folder;

struct jobs_in_a_folder : ::testing::Test {
  test_folder folder;

  std::string put(const std::string& name) {
    const std::string path = folder.file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << "{}";
    return path;
  }
  static std::vector<std::string> labels(const std::vector<std::string>& given) {
    const auto list = list_jobs(given);
    EXPECT_TRUE(list.has_value()) << (list ? "" : list.error().message);
    std::vector<std::string> found;
    for (const listed_job& job : list ? list->jobs : std::vector<listed_job>()) {
      found.push_back(job.label);
    }
    return found;
  }
  static std::string refusal(const std::vector<std::string>& given) {
    const auto list = list_jobs(given);
    EXPECT_FALSE(list.has_value());
    return list ? "" : list.error().message;
  }
};

TEST_F(jobs_in_a_folder, files_stand_in_the_order_given_and_are_named_without_json) {
  const std::string b = put("b.json");
  const std::string a = put("a.conf");
  EXPECT_THAT(labels({b, a, "-"}), ElementsAre("b", "a.conf", "stdin"));
}

TEST_F(jobs_in_a_folder, a_folder_stands_for_its_json_files_by_name_with_those_of_its_folders) {
  put("jobs/b.json");
  put("jobs/a.json");
  put("jobs/sub/c.json");
  put("jobs/readme.md");
  put("jobs/.hidden.json");
  put("jobs/.git/d.json");
  EXPECT_THAT(labels({folder.file("jobs")}), ElementsAre("a", "b", "c"));
}

TEST_F(jobs_in_a_folder, equal_names_get_as_many_folders_as_tell_them_apart) {
  const std::string one = put("shop/day/orders.json");
  const std::string two = put("shop/night/orders.json");
  const std::string three = put("crm/night/orders.json");
  const std::string four = put("items.json");
  EXPECT_THAT(labels({one, two, three, four}),
              ElementsAre("day/orders", "shop/night/orders", "crm/night/orders", "items"));
}

TEST_F(jobs_in_a_folder, labels_differ_even_where_names_cannot) {
  const std::string one = put("a/orders.json");
  const std::string two = put("a/orders");
  const auto found = labels({one, two});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0], found[1]);
}

TEST_F(jobs_in_a_folder, a_file_named_twice_is_listed_once_and_said) {
  const std::string a = put("jobs/a.json");
  put("jobs/b.json");
  const auto list = list_jobs({folder.file("jobs"), folder.file("jobs/../jobs/a.json"), "-", "-"});
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->jobs.size(), 3U);
  EXPECT_THAT(list->notices, ElementsAre(HasSubstr("a.json is named twice; it counts once"),
                                         HasSubstr("standard input is named twice")));
}

TEST_F(jobs_in_a_folder, a_file_that_is_not_there_is_listed) {
  EXPECT_THAT(labels({folder.file("none.json")}), ElementsAre("none"));
}

TEST_F(jobs_in_a_folder, a_folder_without_jobs_is_refused) {
  std::filesystem::create_directories(folder.file("empty"));
  EXPECT_THAT(refusal({folder.file("empty")}), HasSubstr("no file in this folder ends in .json"));
}

TEST_F(jobs_in_a_folder, too_many_are_refused) {
  std::filesystem::create_directories(folder.file("data"));
  for (int i = 0; i <= 10'000; ++i) {
    std::ofstream(folder.file("data/" + std::to_string(i) + ".json"));
  }
  EXPECT_THAT(refusal({folder.file("data")}), HasSubstr("more than 10,000 files"));
}

TEST_F(jobs_in_a_folder, one_file_is_one_job_and_a_folder_or_two_files_are_several) {
  const std::string a = put("jobs/a.json");
  EXPECT_FALSE(names_several({a}));
  EXPECT_FALSE(names_several({"-"}));
  EXPECT_FALSE(names_several({folder.file("none.json")}));
  EXPECT_TRUE(names_several({a, a}));
  EXPECT_TRUE(names_several({folder.file("jobs")}));
}

}  // namespace
}  // namespace sluice
