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

}  // namespace
}  // namespace sluice::postgresql
