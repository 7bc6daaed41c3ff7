#include "tools/cli/zone_choice.h"

#include <gtest/gtest.h>

#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

environment tz(std::optional<std::string> value) {
  return [value = std::move(value)](const char* name) {
    return std::string(name) == "TZ" ? value : std::optional<std::string>();
  };
}

TEST(zone_choice, the_order_is_job_flag_dialect_configuration_variable_system) {
  const testing::test_folder root;
  root.put("etc/timezone", "Asia/Tokyo\n");
  configuration configured;
  const auto name = [&](std::optional<std::string> job, std::optional<std::string> flag, dialect d,
                        std::optional<std::string> variable) {
    return choose_zone(job, flag, d, configured, tz(std::move(variable)), root.path()).name;
  };
  EXPECT_EQ(name("A", "B", dialect::datax, "C"), "A");
  EXPECT_EQ(name({}, "B", dialect::datax, "C"), "B");
  EXPECT_EQ(name({}, {}, dialect::datax, "C"), "GMT+8");
  EXPECT_EQ(name({}, {}, dialect::script2, "C"), "C");
  EXPECT_EQ(name({}, {}, dialect::script2, {}), "Asia/Tokyo");
  configured.time_zone = "F";
  EXPECT_EQ(name({}, "B", dialect::script2, "C"), "B");
  EXPECT_EQ(name({}, {}, dialect::datax, "C"), "GMT+8");
  EXPECT_EQ(name({}, {}, dialect::script2, "C"), "F");
}

TEST(zone_choice, the_variable_is_read_as_tzset_reads_it) {
  const std::pair<const char*, const char*> cases[] = {{"Europe/Berlin", "Europe/Berlin"},
                                                       {":Europe/Berlin", "Europe/Berlin"},
                                                       {":/usr/share/zoneinfo/PRC", "PRC"},
                                                       {"/usr/share/zoneinfo/posix/PRC", "PRC"},
                                                       {"", "UTC"}};
  for (const auto& [value, expected] : cases) {
    EXPECT_EQ(choose_zone({}, {}, dialect::script2, {}, tz(value)).name, expected) << value;
  }
}

TEST(zone_choice, the_systems_zone_is_the_name_its_link_points_to) {
  const testing::test_folder root;
  root.put("etc/timezone", "Asia/Tokyo\n");
  std::filesystem::create_symlink("/usr/share/zoneinfo/America/New_York", root.file("etc/localtime"));
  const auto choice = choose_zone({}, {}, dialect::script2, {}, tz({}), root.path());
  EXPECT_EQ(choice.name, "America/New_York");
  EXPECT_EQ(choice.origin, "/etc/localtime");
  EXPECT_FALSE(choice.text_only);
}

TEST(zone_choice, without_anything_it_is_utc) {
  const testing::test_folder root;
  const auto choice = choose_zone({}, {}, dialect::script2, {}, tz({}), root.path());
  EXPECT_EQ(choice.name, "UTC");
  EXPECT_EQ(choice.origin, "default");
}

}  // namespace
}  // namespace sluice
