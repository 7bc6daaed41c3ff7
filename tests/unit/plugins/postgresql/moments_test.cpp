#include "plugins/postgresql/postgresql_moments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(postgresql_moments_test, names_what_goes_by_the_sessions_zone) {
  const auto in = [](std::string_view sql, moment_text what = moment_text::condition) {
    return moments_in(sql, what, {"ts", "made"});
  };
  EXPECT_THAT(in("made > '2024-07-01' AND \"ts\" < now()"), ElementsAre("ts", "made"));
  EXPECT_THAT(in("ts >= '20240701'"), ElementsAre("ts"));
  EXPECT_THAT(in("ts >= E'2024-07-01 10:30:00.5'"), ElementsAre("ts"));
  EXPECT_THAT(in("ts >= timestamp with time zone '2024-07-01 10:30'"), ElementsAre("ts"));
  EXPECT_THAT(in("ts >= $$2024-07-01$$"), ElementsAre("ts"));
  EXPECT_THAT(in("ts > 'today'"), ElementsAre("ts"));
  EXPECT_THAT(in("ts::date = current_date"), ElementsAre("ts"));
  EXPECT_THAT(in("extract(hour from ts) = 5"), ElementsAre("ts"));
  EXPECT_THAT(in("ts >= '2024-07-01 00:00:00+08'"), IsEmpty());
  EXPECT_THAT(in("ts >= '2024-07-01T00:00:00Z' AND ts < '2024-07-02 00:00 Europe/Berlin'"), IsEmpty());
  EXPECT_THAT(in("ts AT TIME ZONE 'UTC' >= '2024-07-01'"), IsEmpty());
  EXPECT_THAT(in("ts > now() - interval '1 day'"), IsEmpty());
  EXPECT_THAT(in("extract(epoch from ts) > 5"), IsEmpty());
  EXPECT_THAT(in("id > 5 AND d > '2024-07-01'"), IsEmpty());
  EXPECT_THAT(in("SELECT id, ts FROM t WHERE d > '2024-07-01' ORDER BY ts", moment_text::list), IsEmpty());
  EXPECT_THAT(in("SELECT id FROM t WHERE made > '2024-07-01'", moment_text::list), ElementsAre("made"));
}

TEST(postgresql_moments_test, tells_a_time_without_a_zone) {
  for (const char* text :
       {"2024-07-01", "20240701", " 2024/7/1 ", "2024-07-01 10:30", "2024-07-01T10:30:00.25"}) {
    EXPECT_TRUE(relational::is_time_without_zone(text)) << text;
  }
  for (const char* text :
       {"", "2024", "12345678901", "2024-07", "10:30", "2024-07-01 10:30+02", "2024-07-01 10:30-3",
        "2024-07-01Z", "2024-07-01 UTC", "row 20240701", "2024-07-01-x"}) {
    EXPECT_FALSE(relational::is_time_without_zone(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::postgresql
