#include "plugins/mysql/mysql_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mysql.h>

namespace sluice::mysql {
namespace {

using ::testing::ElementsAre;

struct declared_case {
  declared_type declared;
  std::string_view read_as;
};

TEST(mysql_types_test, reads_each_declared_type_as_what_it_holds) {
  const declared_case cases[] = {
      {{"tinyint", "tinyint(1)", "", 0, 0}, "int64(8 bits)"},
      {{"int", "int(10) unsigned", "", 0, 0}, "uint64(32 bits)"},
      {{"int", "int(10) unsigned zerofill", "", 0, 0}, "uint64(32 bits)"},
      {{"bigint", "bigint(20)", "", 0, 0}, "int64"},
      {{"bigint", "bigint(20) unsigned", "", 0, 0}, "uint64"},
      {{"year", "year(4)", "", 0, 0}, "int64"},
      {{"bit", "bit(1)", "", 0, 0}, "boolean"},
      {{"bit", "bit(64)", "", 0, 0}, "uint64"},
      {{"float", "float", "", 0, 0}, "float32"},
      {{"double", "double(10,2)", "", 0, 0}, "float64"},
      {{"decimal", "decimal(38,30)", "", 0, 0}, "decimal(38,30)"},
      {{"decimal", "decimal(65,0) unsigned", "", 0, 0}, "decimal_text(65,0)"},
      {{"varchar", "varchar(20)", "utf8mb4", 20, 80}, "utf8(20 characters)"},
      {{"char", "char(3)", "ascii", 3, 3}, "utf8(3 characters, ASCII)"},
      {{"text", "text", "utf8mb4", 65535, 65535}, "utf8(65535 bytes)"},
      {{"text", "text", "latin1", 65535, 65535}, "utf8"},
      {{"longtext", "longtext", "utf8mb4", 4294967295, 4294967295}, "utf8"},
      {{"json", "json", "", 0, 0}, "utf8"},
      {{"inet6", "inet6", "", 0, 0}, "utf8"},
      {{"enum", "enum('a','it''s')", "utf8mb4", 4, 16}, "utf8"},
      {{"varbinary", "varbinary(16)", "", 16, 16}, "binary(16 bytes)"},
      {{"longblob", "longblob", "", 4294967295, 4294967295}, "binary"},
      {{"point", "point", "", 0, 0}, "binary"},
      {{"date", "date", "", 0, 0}, "date"},
      {{"datetime", "datetime", "", 0, 0}, "timestamp(0)"},
      {{"datetime", "datetime(6)", "", 0, 0}, "timestamp(6)"},
      {{"timestamp", "timestamp(3)", "", 0, 0}, "instant(3)"},
      {{"time", "time(1)", "", 0, 0}, "duration(1)"},
  };
  for (const declared_case& c : cases) {
    EXPECT_EQ(to_string(read_type(kind_of(c.declared))), c.read_as) << c.declared.column_type;
    EXPECT_EQ(kind_of(c.declared).name, c.declared.column_type);
  }
}

TEST(mysql_types_test, reads_each_type_of_a_result_as_what_it_holds) {
  struct result_case {
    result_column column;
    std::string_view name;
    std::string_view read_as;
  };
  const result_case cases[] = {
      {{"", MYSQL_TYPE_LONGLONG, 0, 20, 0, 63, ""}, "bigint", "int64"},
      {{"", MYSQL_TYPE_LONG, UNSIGNED_FLAG, 10, 0, 63, ""}, "int unsigned", "uint64(32 bits)"},
      {{"", MYSQL_TYPE_TINY, 0, 1, 0, 63, ""}, "tinyint", "int64(8 bits)"},
      {{"", MYSQL_TYPE_NEWDECIMAL, 0, 14, 2, 63, ""}, "decimal(12,2)", "decimal(12,2)"},
      {{"", MYSQL_TYPE_NEWDECIMAL, UNSIGNED_FLAG, 13, 2, 63, ""}, "decimal(12,2)", "decimal(12,2)"},
      {{"", MYSQL_TYPE_NEWDECIMAL, 0, 67, 30, 63, ""}, "decimal(65,30)", "decimal_text(65,30)"},
      {{"", MYSQL_TYPE_BIT, UNSIGNED_FLAG, 1, 0, 63, ""}, "bit(1)", "boolean"},
      {{"", MYSQL_TYPE_BIT, UNSIGNED_FLAG, 9, 0, 63, ""}, "bit(9)", "uint64"},
      {{"", MYSQL_TYPE_FLOAT, 0, 12, 31, 63, ""}, "float", "float32"},
      {{"", MYSQL_TYPE_DOUBLE, 0, 22, 31, 63, ""}, "double", "float64"},
      {{"", MYSQL_TYPE_VAR_STRING, 0, 80, 0, 45, ""}, "text", "utf8"},
      {{"", MYSQL_TYPE_VAR_STRING, BINARY_FLAG, 80, 0, 63, ""}, "blob", "binary"},
      {{"", MYSQL_TYPE_JSON, BINARY_FLAG, 80, 0, 63, ""}, "json", "utf8"},
      {{"", MYSQL_TYPE_STRING, BINARY_FLAG, 80, 0, 63, "uuid"}, "uuid", "utf8"},
      {{"", MYSQL_TYPE_NULL, BINARY_FLAG, 0, 0, 63, ""}, "text", "utf8"},
      {{"", MYSQL_TYPE_DATETIME, 0, 26, 6, 63, ""}, "datetime(6)", "timestamp(6)"},
      {{"", MYSQL_TYPE_TIME, 0, 10, 0, 63, ""}, "time", "duration(0)"},
      {{"", MYSQL_TYPE_TIMESTAMP, 0, 19, 39, 63, ""}, "timestamp(6)", "instant(6)"},
  };
  for (const result_case& c : cases) {
    EXPECT_EQ(kind_of(c.column).name, c.name);
    EXPECT_EQ(to_string(read_type(kind_of(c.column))), c.read_as) << c.name;
  }
}

TEST(mysql_types_test, widens_types_that_differ_in_length_digits_bits_or_set) {
  struct pair_case {
    std::string_view a, b, name, read_as;
  };
  constexpr std::string_view none = "";
  const pair_case cases[] = {
      {"decimal(10,2)", "decimal(12,4)", "decimal(12,4)", "decimal(12,4)"},
      {"decimal(12,2)", "decimal(10,4)", "decimal(14,4)", "decimal(14,4)"},
      {"decimal(38,0) unsigned", "decimal(10,10)", "decimal(48,10)", "decimal_text(48,10)"},
      {"decimal(5,1) unsigned", "decimal(6,1) unsigned", "decimal(6,1) unsigned", "decimal(6,1)"},
      {"decimal(65,0)", "decimal(30,30)", none, none},
      {"datetime", "datetime(6)", "datetime(6)", "timestamp(6)"},
      {"timestamp(3)", "timestamp", "timestamp(3)", "instant(3)"},
      {"time(1)", "time(4)", "time(4)", "duration(4)"},
      {"datetime", "timestamp", none, none},
      {"int(11)", "bigint(20)", "bigint(20)", "int64"},
      {"int(10) unsigned", "int(11)", none, none},
      {"int(11)", "decimal(10,0)", none, none},
      {"float", "double", "double", "float64"},
      {"bit(4)", "bit(9)", "bit(9)", "uint64"},
      {"bit(1)", "bit(9)", none, none},
      {"varchar(10)", "varchar(20)", "varchar(20)", "utf8(20 characters)"},
      {"char(30)", "varchar(20)", "varchar(30)", "utf8(30 characters)"},
      {"varchar(10)", "text", "longtext", "utf8"},
      {"varchar(10) CHARACTER SET ascii", "varchar(10)", "varchar(10)", "utf8(10 characters)"},
      {"longtext", "json", "longtext", "utf8"},
      {"enum('a')", "enum('b')", "longtext", "utf8"},
      {"varbinary(4)", "binary(8)", "varbinary(8)", "binary(8 bytes)"},
      {"varbinary(4)", "blob", "longblob", "binary(65535 bytes)"},
      {"varbinary(4)", "varchar(4)", none, none},
      {"date", "date", "date", "date"},
  };
  for (const pair_case& c : cases) {
    for (const bool turned : {false, true}) {
      const auto wider =
          wider_kind(kind_of(declared_as(turned ? c.b : c.a)), kind_of(declared_as(turned ? c.a : c.b)));
      EXPECT_EQ(wider ? wider->name : "", c.name) << c.a << " and " << c.b;
      EXPECT_EQ(wider ? to_string(read_type(*wider)) : "", c.read_as) << c.a << " and " << c.b;
    }
  }
}

TEST(mysql_types_test, takes_members_apart) {
  EXPECT_THAT(members_of("enum('a','it''s','','b,c')"), ElementsAre("a", "it's", "", "b,c"));
  EXPECT_THAT(members_of("set('x')"), ElementsAre("x"));
  EXPECT_THAT(members_of("enum('a\\\\b','\\n\\r')"), ElementsAre("a\\b", "\n\r"));
  EXPECT_THAT(members_of("enum('broken"), ElementsAre("broken"));
  EXPECT_THAT(members_of("int(11)"), ElementsAre());
}

TEST(mysql_types_test, makes_a_table_whose_columns_hold_what_was_read) {
  struct made_case {
    data_type type;
    std::string_view declared;
  };
  data_type small = type_of(type_id::uint64);
  small.integer_bits = 16;
  data_type text = type_of(type_id::utf8);
  text.length_max = 20;
  data_type wide = type_of(type_id::decimal_text);
  wide.precision = 65;
  wide.scale = 30;
  const made_case cases[] = {
      {type_of(type_id::boolean), "BIT(1)"},
      {type_of(type_id::int64), "BIGINT"},
      {small, "SMALLINT UNSIGNED"},
      {type_of(type_id::float32), "FLOAT"},
      {decimal_type(38, 30), "DECIMAL(38,30)"},
      {decimal_type(38, 31), "LONGTEXT"},
      {wide, "DECIMAL(65,30)"},
      {type_of(type_id::decimal_text), "LONGTEXT"},
      {text, "VARCHAR(20)"},
      {type_of(type_id::utf8), "LONGTEXT"},
      {type_of(type_id::binary), "LONGBLOB"},
      {time_type(type_id::timestamp, time_unit::nano), "DATETIME(6)"},
      {time_type(type_id::instant, time_unit::second), "TIMESTAMP"},
      {time_type(type_id::time_of_day, time_unit::milli), "TIME(3)"},
  };
  for (const made_case& c : cases) {
    EXPECT_EQ(created_type(c.type), c.declared);
  }
}

}  // namespace
}  // namespace sluice::mysql
