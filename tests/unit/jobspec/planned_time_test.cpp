#include "jobspec/planned_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::chrono;
using ::testing::HasSubstr;

const local_seconds now = local_days{2025y / 7 / 20} + 10h + 30min + 5s;

std::string planned(const planned_flags& flags, local_seconds at = now) {
  const auto asked = planned_times(flags);
  if (!asked) {
    return asked.error().message;
  }
  std::string out;
  for (const auto& one : *asked) {
    const planned_time p = planned_for(one, at, "UTC");
    out += (out.empty() ? "" : ", ") + p.text() + " for " + p.business_date_text() + " by " + p.origin;
  }
  return out;
}

TEST(planned_time, each_flag_gives_its_time) {
  struct flags_case {
    planned_flags flags;
    std::string expected;
  };
  for (const auto& [flags, expected] : std::vector<flags_case>{
           {{}, "2025-07-20 10:30:05 for 2025-07-19 by now"},
           {{.cyctime = "2024-02-29 23:59:59"},
            "2024-02-29 23:59:59 for 2024-02-28 by --cyctime 2024-02-29 23:59:59"},
           {{.cyctime = "2025-01-01 00:00"},
            "2025-01-01 00:00:00 for 2024-12-31 by --cyctime 2025-01-01 00:00"},
           {{.cyctime = "2025-01-01T06:07:08"},
            "2025-01-01 06:07:08 for 2024-12-31 by --cyctime 2025-01-01T06:07:08"},
           {{.cyctime = "20250101060708"}, "2025-01-01 06:07:08 for 2024-12-31 by --cyctime 20250101060708"},
           {{.bizdate = "20250719"}, "2025-07-20 00:00:00 for 2025-07-19 by --bizdate 20250719"},
           {{.bizdate = "2024-02-29"}, "2024-03-01 00:00:00 for 2024-02-29 by --bizdate 20240229"},
           {{.bizdate = "20250315", .at = "02:30"},
            "2025-03-16 02:30:00 for 2025-03-15 by --bizdate 20250315 --at 02:30"},
           {{.at = "10:30"}, "2025-07-20 10:30:00 for 2025-07-19 by --at 10:30"},
           {{.at = "10:30:05"}, "2025-07-20 10:30:05 for 2025-07-19 by --at 10:30:05"},
           {{.at = "10:30:06"}, "2025-07-19 10:30:06 for 2025-07-18 by --at 10:30:06"},
           {{.at = "23:50"}, "2025-07-19 23:50:00 for 2025-07-18 by --at 23:50"},
           {{.at = "00:00"}, "2025-07-20 00:00:00 for 2025-07-19 by --at 00:00"},
           {{.bizdate = "20241230..20250101", .at = "01:00"},
            "2024-12-31 01:00:00 for 2024-12-30 by --bizdate 20241230 --at 01:00, 2025-01-01 01:00:00 for "
            "2024-12-31 "
            "by --bizdate 20241231 --at 01:00, 2025-01-02 01:00:00 for 2025-01-01 by --bizdate 20250101 --at "
            "01:00"}}) {
    EXPECT_EQ(planned(flags), expected);
  }
}

TEST(planned_time, a_retry_after_midnight_keeps_its_day) {
  const local_seconds late = local_days{2025y / 7 / 21} + 10min;
  EXPECT_THAT(planned({.at = "23:30"}, late), HasSubstr("2025-07-20 23:30:00"));
}

TEST(planned_time, what_is_no_time_is_refused_with_flag_value_and_form) {
  struct flags_case {
    planned_flags flags;
    const char* part;
  };
  for (const auto& [flags, part] : std::vector<flags_case>{
           {{.cyctime = "2025-07-20"}, "--cyctime: \"2025-07-20\" is no time"},
           {{.cyctime = "2025-02-29 00:00:00"}, "is no time"},
           {{.cyctime = "2025-07-20 24:00:00"}, "is no time"},
           {{.cyctime = "2025-07-20 10:60:00"}, "is no time"},
           {{.cyctime = "2025-07-20 10:30:00 "}, "is no time"},
           {{.cyctime = "0001-01-01 00:00:00"}, "is no time"},
           {{.cyctime = "2025-07-20 10:30:00", .bizdate = "20250719"}, "leave out --bizdate"},
           {{.cyctime = "2025-07-20 10:30:00", .at = "10:30"}, "leave out --at"},
           {{.bizdate = "20250231"}, "--bizdate: \"20250231\" is no day"},
           {{.bizdate = "yesterday"}, "--bizdate: \"yesterday\" is no day"},
           {{.bizdate = "20250701.."}, "\"\" is no day"},
           {{.bizdate = "x..20250701"}, "\"x\" is no day"},
           {{.bizdate = "20250702..20250701"}, "ends before it begins"},
           {{.bizdate = "20150101..20250701"}, "longer than 3660 days"},
           {{.at = "25:00"}, "--at: \"25:00\" is no time of day"},
           {{.at = "7:30"}, "--at: \"7:30\" is no time of day"}}) {
    EXPECT_THAT(planned(flags), HasSubstr(part));
  }
}

TEST(planned_time, is_kept_with_its_zone_and_read_back) {
  planned_time p{now, "Europe/Berlin", true, "--cyctime", {}};
  EXPECT_EQ(p.kept_text(), "2025-07-20 10:30:05 Europe/Berlin");
  p.given = false;
  EXPECT_EQ(p.kept_text(), "now 2025-07-20 10:30:05 Europe/Berlin");
  const auto back = read_kept_time(p.kept_text());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->at, now);
  EXPECT_EQ(back->zone, "Europe/Berlin");
  EXPECT_FALSE(back->given);
  for (const char* wrong :
       {"", "now", "2025-07-20 10:30:05", "2025-07-20 10:30:05 ", "2025-07-20 99:30:05 UTC"}) {
    EXPECT_FALSE(read_kept_time(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace sluice
