#include "plugins/postgresql/postgresql_insert.h"

#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

insert_plan plan_of(relational::write_mode mode, std::vector<std::string> key) {
  return {{"\"shop\".\"orders\"", {"id", "a\"b"}, {"integer", "text"}, mode, std::move(key), {}},
          {23, 25},
          {false, false}};
}

TEST(insert_sql, has_places_for_every_value_and_what_the_mode_says_of_conflicts) {
  const std::string plain = "INSERT INTO \"shop\".\"orders\" (\"id\", \"a\"\"b\") VALUES ($1, $2), ($3, $4)";
  EXPECT_EQ(insert_sql(plan_of(relational::write_mode::insert, {}), 2), plain);
  EXPECT_EQ(insert_sql(plan_of(relational::write_mode::replace, {"id"}), 2), plain);
  EXPECT_EQ(insert_sql(plan_of(relational::write_mode::ignore, {}), 2), plain + " ON CONFLICT DO NOTHING");
  EXPECT_EQ(insert_sql(plan_of(relational::write_mode::update, {"id"}), 2),
            plain + " ON CONFLICT (\"id\") DO UPDATE SET \"a\"\"b\" = excluded.\"a\"\"b\"");
}

TEST(insert_sql, overrules_an_identity_where_there_is_one) {
  insert_plan plan = plan_of(relational::write_mode::insert, {});
  plan.overrules_identity = true;
  EXPECT_EQ(insert_sql(plan, 1),
            "INSERT INTO \"shop\".\"orders\" (\"id\", \"a\"\"b\") OVERRIDING SYSTEM VALUE VALUES ($1, $2)");
}

}  // namespace
}  // namespace sluice::postgresql
