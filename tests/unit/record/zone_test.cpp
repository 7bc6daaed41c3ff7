#include "transport/record/zone.h"

#include <gtest/gtest.h>

#include <array>

#include "transport/record/format.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

std::int64_t seconds(std::string_view text) {
  return parse_iso_timestamp(text, time_unit::second, 0).value;
}

struct wall_case {
  std::string_view zone;
  std::string_view wall;
  std::string_view utc;  ///< Or `missing`, `twice`.
};

constexpr std::array wall_cases = std::to_array<wall_case>({
    {"UTC", "2024-07-01 12:00:00", "2024-07-01 12:00:00"},
    {"GMT", "2024-07-01 12:00:00", "2024-07-01 12:00:00"},
    {"Z", "2024-07-01 12:00:00", "2024-07-01 12:00:00"},
    {"GMT+8", "2024-07-01 12:00:00", "2024-07-01 04:00:00"},
    {"GMT+08:00", "2024-07-01 12:00:00", "2024-07-01 04:00:00"},
    {"UTC-3", "2024-07-01 12:00:00", "2024-07-01 15:00:00"},
    {"+08:00", "2024-07-01 12:00:00", "2024-07-01 04:00:00"},
    {"+0530", "2024-07-01 12:00:00", "2024-07-01 06:30:00"},
    {"-9", "2024-07-01 12:00:00", "2024-07-01 21:00:00"},
    {"PRC", "2024-07-01 12:00:00", "2024-07-01 04:00:00"},
    {"PRC", "1988-07-01 12:00:00", "1988-07-01 03:00:00"},
    {"Asia/Shanghai", "1986-05-04 02:30:00", "missing"},
    {"Etc/GMT+8", "2024-07-01 12:00:00", "2024-07-01 20:00:00"},
    {"Europe/Berlin", "2024-01-01 12:00:00", "2024-01-01 11:00:00"},
    {"Europe/Berlin", "2024-07-01 12:00:00", "2024-07-01 10:00:00"},
    {"Europe/Berlin", "2024-03-31 01:59:59", "2024-03-31 00:59:59"},
    {"Europe/Berlin", "2024-03-31 02:00:00", "missing"},
    {"Europe/Berlin", "2024-03-31 02:59:59", "missing"},
    {"Europe/Berlin", "2024-03-31 03:00:00", "2024-03-31 01:00:00"},
    {"Europe/Berlin", "2024-10-27 01:59:59", "2024-10-26 23:59:59"},
    {"Europe/Berlin", "2024-10-27 02:00:00", "twice"},
    {"Europe/Berlin", "2024-10-27 02:59:59", "twice"},
    {"Europe/Berlin", "2024-10-27 03:00:00", "2024-10-27 02:00:00"},
    {"Europe/Berlin", "2090-07-01 12:00:00", "2090-07-01 10:00:00"},
    {"Pacific/Apia", "2011-12-30 12:00:00", "missing"},
    {"America/New_York", "1800-01-01 00:00:00", "1800-01-01 04:56:02"},
});

TEST(zone, a_wall_time_is_one_point_in_time_or_none_or_two) {
  for (const wall_case& c : wall_cases) {
    SCOPED_TRACE(std::string(c.zone) + " " + std::string(c.wall));
    const auto zone = time_zone::find(c.zone);
    ASSERT_TRUE(zone) << zone.error().message;
    EXPECT_EQ((*zone)->name(), c.zone);
    const auto answer = (*zone)->to_utc(seconds(c.wall));
    if (c.utc == "missing" || c.utc == "twice") {
      EXPECT_EQ(answer.kind, c.utc == "twice" ? time_zone::wall_kind::twice : time_zone::wall_kind::missing);
      continue;
    }
    ASSERT_EQ(answer.kind, time_zone::wall_kind::unique);
    EXPECT_EQ(text_of(write_iso_timestamp, answer.utc_seconds, time_unit::second, 0U, ' '), c.utc);
    EXPECT_EQ((*zone)->to_wall(answer.utc_seconds), seconds(c.wall));
  }
}

TEST(zone, a_unknown_name_is_refused_with_near_ones) {
  struct unknown {
    std::string_view name;
    std::string_view near;
  };
  for (const unknown& u :
       {unknown{"Europe/Berln", "Europe/Berlin"}, unknown{"berlin", "Europe/Berlin"},
        unknown{"asia/shanghai", "Asia/Shanghai"}, unknown{"Shanghai", "Asia/Shanghai"}, unknown{"", ""},
        unknown{"GMT+25", ""}, unknown{"+8:0", ""}, unknown{"+19:00", ""}, unknown{"GMT+8x", ""},
        unknown{"../../etc/passwd", ""}, unknown{"/etc/localtime", ""}, unknown{"Fixed/UTC+08:00:00", ""},
        unknown{"localtime", ""}, unknown{"CST", ""}}) {
    const auto zone = time_zone::find(u.name);
    ASSERT_FALSE(zone) << u.name;
    EXPECT_EQ(zone.error().kind, error_kind::bad_option);
    EXPECT_NE(zone.error().message.find(u.near), std::string::npos) << zone.error().message;
    EXPECT_NE(zone.error().message.find("is no time zone"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice
