#include "plugins/mysql/mysql_sums.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

using forms = std::vector<sql_form>;

forms forms_of(std::string_view type, const std::string& charset = "") {
  return sql_forms_of(kind_of(declared_as(type)), charset);
}

std::string value(std::string_view type, sql_form form, const std::string& charset = "") {
  return field_sql("`a`", form, kind_of(declared_as(type)), charset);
}

TEST(mysql_sums, are_of_types_whose_text_has_all_of_the_value) {
  EXPECT_EQ(forms_of("bigint(20) unsigned"), forms{sql_form::number});
  EXPECT_EQ(forms_of("bit(8)"), forms{sql_form::number});
  EXPECT_EQ(forms_of("timestamp"), forms{sql_form::instant});
  EXPECT_EQ(forms_of("varbinary(3)"), forms{sql_form::bytes});
  EXPECT_EQ(forms_of("double"), forms{});
  EXPECT_EQ(forms_of("int(5) unsigned zerofill"), forms{});
  EXPECT_EQ(forms_of("json", "utf8mb4"), forms{});
  EXPECT_EQ(forms_of("point"), forms{});
}

TEST(mysql_sums, are_of_texts_that_come_to_utf8_without_a_question_mark) {
  EXPECT_EQ(forms_of("varchar(9)", "latin1"), (forms{sql_form::text, sql_form::unpadded_text}));
  EXPECT_EQ(forms_of("uuid"), (forms{sql_form::text, sql_form::unpadded_text}));
  EXPECT_EQ(forms_of("varchar(9)", "gbk"), forms{});
  EXPECT_EQ(forms_of("varchar(9)", "ascii"), forms{});
}

TEST(mysql_sums, of_moments_have_six_digits_and_none_of_a_day_of_zeros) {
  EXPECT_EQ(value("datetime(3)", sql_form::timestamp),
            "IF(`a` IS NULL, '~', IF(MONTH(`a`) = 0 OR DAYOFMONTH(`a`) = 0, NULL, CONCAT(CAST(`a` AS CHAR), "
            "'000')))");
  EXPECT_EQ(value("time", sql_form::time), "IF(`a` IS NULL, '~', CONCAT(CAST(`a` AS CHAR), '.000000'))");
  EXPECT_EQ(value("time(6)", sql_form::time), "IF(`a` IS NULL, '~', CAST(`a` AS CHAR))");
}

TEST(mysql_sums, of_texts_are_of_their_bytes_behind_their_length) {
  EXPECT_EQ(value("varchar(9)", sql_form::text, "utf8mb4"),
            "IF(`a` IS NULL, '~', CONCAT(LENGTH(CAST(`a` AS BINARY)), ':', CAST(`a` AS BINARY)))");
}

TEST(mysql_sums, by_ranges_are_of_one_pass_and_of_the_rows_in_them_alone) {
  read_plan plan;
  plan.kinds = {kind_of(declared_as("bigint(20) unsigned"))};
  read_part part;
  part.table = "`shop`.`t`";
  part.where = "(id > 5)";
  part.own_columns = {own_column{"`id`", ""}};
  const ranges_of_column by{0, {{10, 20}, {20, 30}, {40, 50}}};
  const std::string sql = sums_sql(plan, part, {{0, sql_form::number}}, &by);
  EXPECT_NE(sql.find("INTERVAL(`id`, 10, 20, 30, 40, 50), MIN(`id`), MAX(`id`), @@time_zone"),
            std::string::npos)
      << sql;
  EXPECT_NE(
      sql.find(" FROM `shop`.`t` WHERE (id > 5) AND ((`id` >= 10 AND `id` < 30) OR (`id` >= 40 AND `id` "
               "< 50)) GROUP BY 5 ORDER BY NULL"),
      std::string::npos)
      << sql;
  EXPECT_EQ(sums_sql(plan, part, {{0, sql_form::number}}).find("GROUP BY"), std::string::npos);
}

TEST(mysql_sums, have_ranges_of_numbers_alone) {
  EXPECT_TRUE(has_ranges(kind_of(declared_as("bigint(20) unsigned"))));
  EXPECT_TRUE(has_ranges(kind_of(declared_as("decimal(20,5)"))));
  EXPECT_FALSE(has_ranges(kind_of(declared_as("bit(8)"))));
  EXPECT_FALSE(has_ranges(kind_of(declared_as("year(4)"))));
  EXPECT_FALSE(has_ranges(kind_of(declared_as("double"))));
  EXPECT_FALSE(has_ranges(kind_of(declared_as("varchar(9)"))));
}

}  // namespace
}  // namespace sluice::mysql
