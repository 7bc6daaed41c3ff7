#include "plugins/sqlite/sqlite_types.h"

#include <gtest/gtest.h>

namespace sluice::sqlite {
namespace {

struct type_case {
  std::string_view declared;
  bool strict;
  affinity gives;
  held_as holds;
};

TEST(sqlite_types, follow_the_rules_of_affinity_and_the_table_of_numeric_names) {
  const type_case cases[] = {
      {"INTEGER", false, affinity::integer, held_as::integer},
      {"int", false, affinity::integer, held_as::integer},
      {"UNSIGNED BIG INT", false, affinity::integer, held_as::integer},
      {"POINT", false, affinity::integer, held_as::integer},
      {"CHARINT", false, affinity::integer, held_as::integer},  // the first rule wins
      {"varchar(20)", false, affinity::text, held_as::text},
      {"CLOB", false, affinity::text, held_as::text},
      {"double precision", false, affinity::real, held_as::real},
      {"FLOAT(5)", false, affinity::real, held_as::real},
      {"BLOB", false, affinity::blob, held_as::blob},
      {"", false, affinity::blob, held_as::any},
      {"DECIMAL(10, 2)", false, affinity::numeric, held_as::number},
      {"NUMERIC", false, affinity::numeric, held_as::number},
      {"boolean", false, affinity::numeric, held_as::boolean},
      {"DATE", false, affinity::numeric, held_as::date},
      {"datetime", false, affinity::numeric, held_as::timestamp},
      {"TIMESTAMP(3)", false, affinity::numeric, held_as::timestamp},
      {"timestamp with time zone", false, affinity::numeric, held_as::instant},
      {"TIME", false, affinity::numeric, held_as::time},
      {"STRING", false, affinity::numeric, held_as::any},
      {"UUID", false, affinity::numeric, held_as::any},
      {"ANY", false, affinity::numeric, held_as::any},
      {"ANY", true, affinity::blob, held_as::any},
      {"INT", true, affinity::integer, held_as::integer},
      {"TEXT", true, affinity::text, held_as::text},
      {"REAL", true, affinity::real, held_as::real},
      {"BLOB", true, affinity::blob, held_as::blob},
  };
  for (const type_case& c : cases) {
    const column_kind kind = kind_of(c.declared, c.strict);
    EXPECT_EQ(kind.gives, c.gives) << c.declared;
    EXPECT_EQ(kind.holds, c.holds) << c.declared;
    EXPECT_EQ(kind.strict, c.strict) << c.declared;
  }
}

struct write_case {
  std::string_view declared;
  data_type source;
  data_type wanted;
};

TEST(sqlite_types, ask_for_the_form_in_which_a_value_does_not_change) {
  const auto t = [](type_id id) { return type_of(id); };
  const data_type nano = time_type(type_id::timestamp, time_unit::nano);
  const write_case cases[] = {
      {"INTEGER", t(type_id::utf8), t(type_id::int64)},
      {"INTEGER", t(type_id::uint64), t(type_id::int64)},
      {"REAL", decimal_type(10, 2), t(type_id::float64)},
      {"TEXT", decimal_type(10, 2), t(type_id::utf8)},
      {"TEXT", t(type_id::int64), t(type_id::utf8)},
      {"DECIMAL(10,2)", t(type_id::utf8), t(type_id::decimal_text)},
      {"DECIMAL(10,2)", decimal_type(10, 2), decimal_type(10, 2)},
      {"DECIMAL(10,2)", t(type_id::int64), t(type_id::int64)},
      {"BOOLEAN", t(type_id::utf8), t(type_id::boolean)},
      {"BOOLEAN", t(type_id::int64), t(type_id::int64)},
      {"DATE", t(type_id::utf8), t(type_id::utf8)},
      {"DATE", nano, t(type_id::date)},
      {"DATETIME", nano, nano},
      {"DATETIME", t(type_id::date), time_type(type_id::timestamp, time_unit::second)},
      {"TIMESTAMPTZ", nano, time_type(type_id::instant, time_unit::nano)},
      {"BLOB", t(type_id::utf8), t(type_id::utf8)},
      {"BLOB", t(type_id::binary), t(type_id::binary)},
      {"", t(type_id::float32), t(type_id::float64)},
      {"", t(type_id::uint64), t(type_id::int64)},
      {"", decimal_type(38, 10), decimal_type(38, 10)},
  };
  for (const write_case& c : cases) {
    EXPECT_EQ(write_type(kind_of(c.declared, false), c.source), c.wanted)
        << c.declared << " from " << sluice::to_string(c.source) << " is "
        << sluice::to_string(write_type(kind_of(c.declared, false), c.source));
  }
  EXPECT_EQ(write_type(kind_of("BLOB", true), t(type_id::utf8)), t(type_id::binary));
}

TEST(sqlite_types, make_decimals_text_in_created_tables) {
  EXPECT_EQ(created_type(decimal_type(10, 2)), "TEXT");
  EXPECT_EQ(created_type(type_of(type_id::decimal_text)), "TEXT");
  EXPECT_EQ(created_type(type_of(type_id::int64)), "INTEGER");
}

}  // namespace
}  // namespace sluice::sqlite
