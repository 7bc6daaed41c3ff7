#include "plugins/postgresql/postgresql_sums.h"

#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

using forms = std::vector<sql_form>;

server_type named(std::uint32_t oid, const std::string& name, std::int32_t modifier = -1) {
  return {oid, modifier, name, false};
}

forms forms_of(const server_type& type) {
  return sql_forms_of(kind_of(type, 2), type);
}

TEST(postgresql_sums, are_of_types_whose_text_no_session_changes) {
  EXPECT_EQ(forms_of(named(16, "boolean")), forms{sql_form::number});
  EXPECT_EQ(forms_of(named(1700, "numeric")), forms{sql_form::number});
  EXPECT_EQ(forms_of(named(1114, "timestamp without time zone")), forms{sql_form::timestamp});
  EXPECT_EQ(forms_of(named(1184, "timestamp with time zone")), forms{sql_form::instant});
  EXPECT_EQ(forms_of(named(701, "double precision")), forms{sql_form::float_bits});
  EXPECT_EQ(forms_of(named(790, "money")), forms{});
  EXPECT_EQ(forms_of(named(1186, "interval")), forms{});
  EXPECT_EQ(forms_of(named(1007, "integer[]")), forms{});
}

TEST(postgresql_sums, of_character_are_of_the_text_without_its_blanks_alone) {
  EXPECT_EQ(forms_of(named(1042, "character(5)", 9)), forms{sql_form::unpadded_text});
  EXPECT_EQ(forms_of(named(1043, "character varying(5)", 9)),
            (forms{sql_form::text, sql_form::unpadded_text}));
}

TEST(postgresql_sums, are_of_fields_that_end_with_a_comma_and_texts_that_begin_with_their_length) {
  const server_type text = named(25, "text");
  EXPECT_EQ(field_sql("a", sql_form::text, kind_of(text, 2)),
            "CASE WHEN a IS NULL THEN '~' ELSE pg_catalog.octet_length(a::text)::text || ':' || a::text END "
            "|| ','");
}

TEST(postgresql_sums, of_a_decimal_that_is_nan_are_none_since_it_is_none_that_is_read) {
  const server_type limited = named(1700, "numeric(10,2)", (10 << 16 | 2) + 4);
  EXPECT_NE(field_sql("a", sql_form::number, kind_of(limited, 2)).find("'NaN'"), std::string::npos);
  const server_type free = named(1700, "numeric");
  EXPECT_EQ(field_sql("a", sql_form::number, kind_of(free, 2)).find("'NaN'"), std::string::npos);
}

TEST(postgresql_sums, are_asked_with_the_jobs_own_condition) {
  read_plan plan;
  plan.where = "id > 5 -- new ones";
  plan.kinds = {kind_of(named(23, "integer"), 2)};
  relation_plan relation;
  relation.from = "public.t";
  relation.own_columns = {"id"};
  const std::string sql = sums_sql(plan, relation, {{0, sql_form::number}});
  EXPECT_NE(sql.find("md5('' || CASE WHEN id IS NULL THEN '~' ELSE id::text END || ',') AS h FROM public.t "
                     "WHERE (id > 5 -- new ones\n) OFFSET 0)"),
            std::string::npos)
      << sql;
}

relation_plan one_table(read_plan& plan, const server_type& type) {
  plan.kinds = {kind_of(type, 2)};
  relation_plan relation;
  relation.from = "public.t";
  relation.own_columns = {"id"};
  return relation;
}

TEST(postgresql_sums, by_ranges_are_of_one_pass_and_of_the_rows_in_them_alone) {
  read_plan plan;
  plan.where = "id > 5 -- new ones";
  const relation_plan relation = one_table(plan, named(23, "integer"));
  const ranges_of_column by{0, {{10, 20}, {20, 30}, {40, 50}}};
  const std::string sql = sums_sql(plan, relation, {{0, sql_form::number}}, &by);
  EXPECT_NE(sql.find(", r, pg_catalog.min(k)::text, pg_catalog.max(k)::text FROM ("), std::string::npos)
      << sql;
  EXPECT_NE(
      sql.find(
          " AS h, pg_catalog.width_bucket(id::bigint, ARRAY[10, 20, 30, 40, 50]::bigint[]) AS r, id AS k "
          "FROM public.t WHERE (id > 5 -- new ones\n) AND ((id >= 10 AND id < 30) OR (id >= 40 AND id "
          "< 50)) OFFSET 0) AS sluice_records GROUP BY r"),
      std::string::npos)
      << sql;
}

TEST(postgresql_sums, by_ranges_of_all_have_no_condition_and_bounds_beyond_bigint_are_numeric) {
  read_plan plan;
  const relation_plan relation = one_table(plan, named(20, "bigint"));
  const int128 beyond = int128{1} << 63;
  const ranges_of_column by{0, {{{}, beyond}, {beyond, {}}, {.null = true}}};
  const std::string sql = sums_sql(plan, relation, {{0, sql_form::number}}, &by);
  EXPECT_NE(sql.find("width_bucket(id::numeric, ARRAY[9223372036854775808]::numeric[]) AS r, id AS k FROM "
                     "public.t OFFSET 0)"),
            std::string::npos)
      << sql;
}

TEST(postgresql_sums, have_ranges_of_numbers_alone) {
  EXPECT_TRUE(has_ranges(kind_of(named(20, "bigint"), 2)));
  EXPECT_TRUE(has_ranges(kind_of(named(1700, "numeric"), 2)));
  EXPECT_FALSE(has_ranges(kind_of(named(16, "boolean"), 2)));
  EXPECT_FALSE(has_ranges(kind_of(named(26, "oid"), 2)));
  EXPECT_FALSE(has_ranges(kind_of(named(701, "double precision"), 2)));
  EXPECT_FALSE(has_ranges(kind_of(named(25, "text"), 2)));
}

}  // namespace
}  // namespace sluice::postgresql
