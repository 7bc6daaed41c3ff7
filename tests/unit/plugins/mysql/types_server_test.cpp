#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/unit/plugins/mysql/mysql_fixture.h"

namespace sluice::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A value of one type: the SQL that makes it and what is read of it. `code`: its record is dirty as it is
/// read.
struct type_case {
  std::string_view type;
  std::string_view sql;
  std::string_view read;
  std::string_view code = {};
  enum { both, mariadb_only, mysql_only } on = both;
};

const std::vector<type_case>& type_cases() {
  static const std::vector<type_case> cases = {
      {"TINYINT(1)", "-128", "-128"},
      {"TINYINT UNSIGNED", "255", "255"},
      {"SMALLINT", "-32768", "-32768"},
      {"MEDIUMINT UNSIGNED", "16777215", "16777215"},
      {"INT", "-2147483648", "-2147483648"},
      {"INT(8) ZEROFILL", "42", "42"},
      {"BIGINT", "-9223372036854775808", "-9223372036854775808"},
      {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
      {"BOOLEAN", "TRUE", "1"},
      {"YEAR", "2155", "2155"},
      {"YEAR", "0", "0"},
      {"BIT(1)", "b'1'", "true"},
      {"BIT(1)", "b'0'", "false"},
      {"BIT(12)", "b'101000000000'", "2560"},
      {"BIT(64)", "18446744073709551615", "18446744073709551615"},
      {"FLOAT", "0.1", "0.1"},
      {"FLOAT", "3.4028234663852886e38", "3.4028235e38"},
      {"FLOAT", "-1.17549435e-38", "-1.1754944e-38"},
      {"FLOAT", "16777217", "16777216"},
      {"FLOAT(10,2)", "123456.79", "123456.79"},
      {"DOUBLE", "0.1", "0.1"},
      {"DOUBLE", "-1.7976931348623157e308", "-1.7976931348623157e308"},
      {"DOUBLE", "-2.2250738585072014e-308", "-2.2250738585072014e-308"},
      {"DOUBLE", "1234567890.1234567e0", "1234567890.1234567"},
      {"DOUBLE(20,4)", "123456.7891", "123456.7891"},
      {"DECIMAL(5,2)", "-999.99", "-999.99"},
      {"DECIMAL(38,10)", "'1234567890123456789012345678.0123456789'",
       "1234567890123456789012345678.0123456789"},
      {"DECIMAL(65,30)", "'-12345678901234567890123456789012345.123456789012345678901234567890'",
       "-12345678901234567890123456789012345.123456789012345678901234567890"},
      {"DECIMAL(65,0)", "'99999999999999999999999999999999999999999999999999999999999999999'",
       "99999999999999999999999999999999999999999999999999999999999999999"},
      {"DECIMAL(30,30)", "'0.000000000000000000000000000001'", "0.000000000000000000000000000001"},
      {"CHAR(10)", "' a'", " a"},
      {"VARCHAR(10)", "'a  '", "a  "},
      {"VARCHAR(10)", "''", ""},
      {"VARCHAR(10)", "_utf8mb4 x'F09F90ACC3A4'", "\xF0\x9F\x90\xAC\xC3\xA4"},
      {"VARCHAR(10)", "x'41005C27'", std::string_view("A\0\\'", 4)},
      {"VARCHAR(10)", "x'090A0D1A08'", "\t\n\r\x1a\b"},
      {"VARCHAR(10) CHARACTER SET latin1", "_utf8mb4 x'E282ACC3BC'", "\xE2\x82\xAC\xC3\xBC"},
      {"VARCHAR(10) CHARACTER SET utf8mb3", "_utf8mb4 x'E4BDA0'", "\xE4\xBD\xA0"},
      {"VARCHAR(10) CHARACTER SET gbk", "_utf8mb4 x'E4BDA0'", "\xE4\xBD\xA0"},
      {"VARCHAR(10) CHARACTER SET big5", "_utf8mb4 x'E4BDA0'", "\xE4\xBD\xA0"},
      {"VARCHAR(10) CHARACTER SET sjis", "_utf8mb4 x'E38182'", "\xE3\x81\x82"},
      {"VARCHAR(10) CHARACTER SET euckr", "_utf8mb4 x'EAB080'", "\xEA\xB0\x80"},
      {"VARCHAR(10) CHARACTER SET koi8r", "_utf8mb4 x'D0AF'", "\xD0\xAF"},
      {"VARCHAR(10) CHARACTER SET utf16", "_utf8mb4 x'F09F90AC'", "\xF0\x9F\x90\xAC"},
      {"VARCHAR(10) CHARACTER SET utf32", "_utf8mb4 x'F09F90AC'", "\xF0\x9F\x90\xAC"},
      {"VARCHAR(10) CHARACTER SET ucs2", "_utf8mb4 x'E4BDA0'", "\xE4\xBD\xA0"},
      {"TINYTEXT", "'t'", "t"},
      {"TEXT", "'t'", "t"},
      {"MEDIUMTEXT", "'t'", "t"},
      {"LONGTEXT", "'t'", "t"},
      {"ENUM('a','it''s','B')", "'it''s'", "it's"},
      {"ENUM('a\\\\b','c')", "'a\\\\b'", "a\\b"},
      {"SET('a','b','c')", "'c,a'", "a,c"},
      {"SET('a','b','c')", "''", ""},
      {"JSON", "'{\"a\": [1, null]}'", "{\"a\": [1, null]}"},
      {"UUID", "'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000", "",
       type_case::mariadb_only},
      {"INET6", "'2001:db8::1'", "2001:db8::1", "", type_case::mariadb_only},
      {"INET4", "'192.0.2.1'", "192.0.2.1", "", type_case::mariadb_only},
      {"BINARY(3)", "x'0041FF'", "AEH/"},
      {"VARBINARY(10)", "x'005C270A09'", "AFwnCgk="},
      {"TINYBLOB", "x'FF'", "/w=="},
      {"BLOB", "x'FFFE00'", "//4A"},
      {"MEDIUMBLOB", "x'E2'", "4g=="},
      {"LONGBLOB", "x'E20927'", "4gkn"},
      {"POINT", "ST_GeomFromText('POINT(1 2)')", "AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA=="},
      {"DATE", "'1000-01-01'", "1000-01-01"},
      {"DATE", "'9999-12-31'", "9999-12-31"},
      {"DATE", "'0000-00-00'", "", "not_a_date"},
      {"DATE", "'2024-00-15'", "", "not_a_date"},
      {"DATETIME", "'2024-02-29 23:59:59'", "2024-02-29T23:59:59"},
      {"DATETIME(3)", "'1969-12-31 23:59:59.999'", "1969-12-31T23:59:59.999"},
      {"DATETIME(6)", "'9999-12-31 23:59:59.999999'", "9999-12-31T23:59:59.999999"},
      {"DATETIME", "'0000-00-00 00:00:00'", "", "not_a_date"},
      {"TIMESTAMP NULL", "'2038-01-19 03:14:07'", "2038-01-19T03:14:07Z"},
      {"TIMESTAMP(6) NULL", "'1970-01-01 00:00:01.000001'", "1970-01-01T00:00:01.000001Z"},
      {"TIME", "'838:59:59'", "838:59:59"},
      {"TIME", "'-838:59:59'", "-838:59:59"},
      {"TIME(6)", "'-00:00:00.000001'", "-00:00:00.000001"},
  };
  return cases;
}

using mysql_types_server_test = mysql_test;

TEST_P(mysql_types_server_test, reads_every_type_exactly_and_writes_it_back_equal) {
  sql({"SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", "SET time_zone = '+00:00'"});
  std::size_t tried = 0;
  for (const type_case& c : type_cases()) {
    if ((c.on == type_case::mariadb_only && !is_mariadb()) ||
        (c.on == type_case::mysql_only && is_mariadb())) {
      continue;
    }
    SCOPED_TRACE(fmt::format("{} {}", c.type, c.sql));
    ++tried;
    sql({"DROP TABLE IF EXISTS a, b, sluice_run, sluice_progress",
         fmt::format("CREATE TABLE a (id INT PRIMARY KEY, v {0})", c.type), "CREATE TABLE b LIKE a",
         fmt::format("INSERT INTO a VALUES (1, {}), (2, NULL)", c.sql)});
    std::vector<std::string> dirty;
    const auto read_rows = read(R"("table": "a", "column": ["v"])", &dirty);
    if (!c.code.empty()) {
      EXPECT_THAT(read_rows, ElementsAre("<null>"));
      ASSERT_EQ(dirty.size(), 1U);
      EXPECT_TRUE(dirty[0].starts_with(c.code)) << dirty[0];
      continue;
    }
    EXPECT_THAT(dirty, IsEmpty());
    EXPECT_THAT(read_rows, ElementsAre(std::string(c.read), "<null>"));

    // The same as an expression, whose type only the result tells.
    std::vector<std::string> ignored;
    EXPECT_THAT(read(R"("querySql": "SELECT COALESCE(v, NULL) AS v FROM a WHERE id = 1")", &ignored),
                ElementsAre(std::string(c.read)));
    EXPECT_THAT(ignored, IsEmpty());
    EXPECT_THAT(read(R"("querySql": "SELECT v FROM a WHERE id = 1")"), ElementsAre(std::string(c.read)));

    for (const std::string_view mode : {"insert", "update"}) {
      SCOPED_TRACE(mode);  // LOAD DATA, then INSERT
      sql({"DELETE FROM b", "DROP TABLE IF EXISTS sluice_run, sluice_progress"});
      const auto opened = open_source(mysql_plugin(), parameter(R"("table": "a", "column": ["*"])"));
      const auto batches =
          read_split(**opened.object->make_reader(), opened.description, opened.splits[0], {});
      auto run = begin(fmt::format(R"("table": "b", "column": ["*"], "writeMode": "{}")", mode),
                       *opened.description.columns);
      const write_answer answer = write(run, batches);
      EXPECT_EQ(answer.written, 2U);
      for (const refused_row& r : answer.refused) {
        ADD_FAILURE() << r.code << ": " << r.message;
      }
      EXPECT_THAT(
          rows("SELECT COUNT(*) FROM a JOIN b USING (id) WHERE HEX(a.v) <=> HEX(b.v) AND a.v <=> b.v"),
          ElementsAre("2"));
      EXPECT_THAT(read(R"("table": "b", "column": ["v"])"), ElementsAre(std::string(c.read), "<null>"));
    }
  }
  EXPECT_GT(tried, 70U);
}

TEST_P(mysql_types_server_test, reads_zero_dates_as_the_job_says) {
  sql({"SET sql_mode = ''", "CREATE TABLE z (id INT PRIMARY KEY, d DATE, t DATETIME(3))",
       "INSERT INTO z VALUES (1, '0000-00-00', '2024-00-01 01:02:03.5'), (2, '2024-02-29', '2024-02-29 "
       "01:02:03')"});
  EXPECT_THAT(read(R"("table": "z", "column": ["*"], "zeroDate": "null")"),
              ElementsAre("1|<null>|<null>", "2|2024-02-29|2024-02-29T01:02:03.000"));
  EXPECT_THAT(read(R"("table": "z", "column": ["*"], "zeroDate": "text")"),
              ElementsAre("1|0000-00-00|2024-00-01 01:02:03.500", "2|2024-02-29|2024-02-29 01:02:03.000"));
  std::vector<std::string> dirty;
  EXPECT_THAT(read(R"("table": "z", "column": ["*"])", &dirty),
              ElementsAre("2|2024-02-29|2024-02-29T01:02:03.000"));
  EXPECT_THAT(dirty, ElementsAre("not_a_date d 0000-00-00"));
}

TEST_P(mysql_types_server_test, reads_all_digits_of_a_float_in_a_query) {
  sql({"CREATE TABLE f (id INT PRIMARY KEY, v FLOAT)", "INSERT INTO f VALUES (1, 16777215)"});
  EXPECT_THAT(read(R"("querySql": "SELECT id, v FROM f")"), ElementsAre("1|16777215"));
  EXPECT_THAT(read(R"("table": "f", "column": ["id", "v + 0"])"), ElementsAre("1|16777215"));
  EXPECT_THAT(read(R"("querySql": "SELECT v FROM f -- all of it")"), ElementsAre("16777215"));
  const error e = source_refused(R"("querySql": "SELECT v, v FROM f")");
  EXPECT_NE(e.message.find("six digits"), std::string::npos) << e.message;
}

SLUICE_ON_ALL_SERVERS(mysql_types_server_test);

}  // namespace
}  // namespace sluice::testing
