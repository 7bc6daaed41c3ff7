#include "plugins/mysql/mysql_encode.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "transport/record/batch_builder.h"
#include "transport/record/calendar.h"

namespace sluice::mysql {
namespace {

using ::testing::ElementsAre;
using form = row_encoder::form;

column_kind declared(const std::string& data_type, const std::string& column_type, std::uint64_t length = 0) {
  return kind_of(declared_type{data_type, column_type, "utf8mb4", length, length});
}

/// One value of one column as it is sent, or the code of its refusal.
template <class Fill>
std::string encode(const column_kind& kind, const data_type& type, form f, const Fill& fill) {
  const auto columns = std::make_shared<const schema>(schema{{"v", type, true, ""}});
  batch_builder builder(columns, buffer_pool::make(1 << 20), {});
  fill(builder.at(0));
  builder.commit_row();
  const auto b = builder.seal(0);
  row_encoder encoder(columns, {{"v", kind, true}});
  encoded_rows out;
  encoder.encode(*b, f, out);
  EXPECT_EQ(out.size() + out.refused.size(), 1U);
  if (!out.refused.empty()) {
    EXPECT_EQ(out.refused[0].column, "v");
    EXPECT_TRUE(out.bytes.empty());
    return out.refused[0].code;
  }
  EXPECT_EQ(out.range(0, 1), out.bytes);
  return out.bytes;
}

std::string text_value(const column_kind& kind, std::string_view v, form f = form::values) {
  return encode(kind, type_of(type_id::utf8), f, [&](column_builder& b) { b.append_bytes(v); });
}
std::string bytes_value(const column_kind& kind, std::string_view v, form f = form::values) {
  return encode(kind, type_of(type_id::binary), f, [&](column_builder& b) { b.append_bytes(v); });
}
template <class T>
std::string fixed_value(const column_kind& kind, const data_type& type, T v, form f = form::values) {
  return encode(kind, type, f, [&](column_builder& b) { b.append(v); });
}

TEST(mysql_encode_test, json_of_mysql_that_would_read_back_as_another_document_is_refused) {
  const column_kind json = declared("json", "json");
  const auto is_taken = [&](const std::string& document) {
    const bool taken = text_value(json, document) == "('" + document + "'),";
    EXPECT_EQ(taken, text_value(json, document, form::lines) == document + "\n") << document;
    return taken;
  };
  for (const char* document :
       {"1.10", "0", "-0.0", "0e999999999999", "-9223372036854775808", "18446744073709551615", "1e23",
        "1E+22", "0.30000000000000004", "123450000000000000000", R"({"a": [1, {"a": 2}], "b": {"a": null}})",
        "1.7976931348623157e308", "\"12345678901234567890.12\""}) {
    EXPECT_TRUE(is_taken(document)) << document;
  }
  for (const char* number : {"12345678901234567890.12", "18446744073709551616", "-9223372036854775809",
                             "9007199254740993.0", "0.1000000000000000055511151231257827", "1e-400",
                             // doubles that MySQL 8 was seen to read as their neighbours
                             "-2.3027782228163463e+146", "-9.737716208221956e-08"}) {
    EXPECT_EQ(text_value(json, number), "not_exact") << number;
    EXPECT_EQ(text_value(json, fmt::format("{{\"k\": [{}]}}", number), form::lines), "not_exact") << number;
  }
  EXPECT_EQ(text_value(json, R"([{"a": 1, "\u0061": 1}])"), "duplicate_key");
  for (const char* no_json : {"", "{", "1 2", "1e400", "'a'"}) {
    EXPECT_EQ(text_value(json, no_json), "ER_INVALID_JSON_TEXT") << no_json;
  }
  EXPECT_EQ(text_value(declared("longtext", "longtext"), "12345678901234567890.12"),
            "('12345678901234567890.12'),");
}

TEST(mysql_encode_test, writes_literals_that_mean_the_value) {
  EXPECT_EQ(fixed_value(declared("bigint", "bigint"), type_of(type_id::int64),
                        std::numeric_limits<std::int64_t>::min()),
            "(-9223372036854775808),");
  EXPECT_EQ(fixed_value(declared("bigint", "bigint unsigned"), type_of(type_id::uint64), ~std::uint64_t{0}),
            "(18446744073709551615),");
  EXPECT_EQ(fixed_value(declared("decimal", "decimal(5,2)"), decimal_type(5, 2), int128{-5}), "(-0.05),");
  EXPECT_EQ(fixed_value(declared("double", "double"), type_of(type_id::float64), 0.1), "(0.1e0),");
  EXPECT_EQ(fixed_value(declared("double", "double"), type_of(type_id::float64), 1.5e300), "(1.5e300),");
  EXPECT_EQ(fixed_value(declared("float", "float"), type_of(type_id::float32), 0.1F),
            "(0.10000000149011612e0),");
  EXPECT_EQ(fixed_value(declared("date", "date"), type_of(type_id::date), std::int32_t{0}),
            "('1970-01-01'),");
  EXPECT_EQ(fixed_value(declared("datetime", "datetime(6)"), time_type(type_id::timestamp, time_unit::micro),
                        std::int64_t{-1}),
            "('1969-12-31 23:59:59.999999'),");
  EXPECT_EQ(fixed_value(declared("time", "time"), time_type(type_id::duration, time_unit::second),
                        std::int64_t{-(838 * 3600 + 59 * 60 + 59)}),
            "('-838:59:59'),");
  EXPECT_EQ(text_value(declared("varchar", "varchar(20)"), "it's \\ \n"), "('it''s \\ \n'),");
  EXPECT_EQ(bytes_value(declared("blob", "blob"), std::string_view("\0'\xff", 3)),
            std::string("(_binary'\0''\xff'),", 16));
  EXPECT_EQ(encode(declared("bit", "bit(1)"), type_of(type_id::boolean), form::values,
                   [](column_builder& b) { b.append_bool(true); }),
            "(1),");
}

TEST(mysql_encode_test, escapes_lines) {
  EXPECT_EQ(text_value(declared("varchar", "varchar(20)"), std::string_view("a\tb\nc\\d\0N", 9), form::lines),
            "a\\\tb\\\nc\\\\d\\0N\n");
  EXPECT_EQ(text_value(declared("varchar", "varchar(20)"), "", form::lines), "\n");
  EXPECT_EQ(
      fixed_value(declared("bit", "bit(12)"), type_of(type_id::uint64), std::uint64_t{0x0a00}, form::lines),
      "2560\n");
  EXPECT_EQ(bytes_value(declared("blob", "blob"), std::string_view("\0\xff\t", 3), form::lines), "00ff09\n");
  EXPECT_EQ(encode(declared("varchar", "varchar(20)"), type_of(type_id::utf8), form::lines,
                   [](column_builder& b) { b.append_null(); }),
            "ER_BAD_NULL_ERROR");
}

TEST(mysql_encode_test, refuses_what_the_server_would_change_without_a_word) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(fixed_value(declared("double", "double"), type_of(type_id::float64), infinity), "not_finite");
  EXPECT_EQ(fixed_value(declared("double", "double(8,2)"), type_of(type_id::float64), 1.005), "too_precise");
  EXPECT_EQ(fixed_value(declared("double", "double(8,2)"), type_of(type_id::float64), 1.25), "(1.25e0),");
  EXPECT_EQ(fixed_value(declared("float", "float(8,1)"), type_of(type_id::float32), 0.1F),
            "(0.10000000149011612e0),");
  EXPECT_EQ(fixed_value(declared("year", "year(4)"), type_of(type_id::int64), std::int64_t{70}),
            "out_of_range");
  EXPECT_EQ(fixed_value(declared("year", "year(4)"), type_of(type_id::int64), std::int64_t{0}), "(0),");
  EXPECT_EQ(fixed_value(declared("bit", "bit(3)"), type_of(type_id::uint64), std::uint64_t{8}),
            "out_of_range");
  EXPECT_EQ(fixed_value(declared("bit", "bit(64)"), type_of(type_id::uint64), ~std::uint64_t{0}),
            "(18446744073709551615),");
  EXPECT_EQ(fixed_value(declared("date", "date"), type_of(type_id::date), date_infinity), "out_of_range");
  EXPECT_EQ(fixed_value(declared("datetime", "datetime"), time_type(type_id::timestamp, time_unit::second),
                        time_minus_infinity),
            "out_of_range");
  EXPECT_EQ(text_value(declared("char", "char(5)", 5), "a "), "not_representable");
  EXPECT_EQ(text_value(declared("varchar", "varchar(5)", 5), "a "), "('a '),");
  EXPECT_EQ(bytes_value(declared("binary", "binary(3)", 3), "ab"), "not_representable");
  EXPECT_EQ(bytes_value(declared("binary", "binary(3)", 3), "abc"), "(_binary'abc'),");
}

TEST(mysql_encode_test, takes_members_only_as_they_are_spelled) {
  const column_kind one = declared("enum", "enum('a','B','')");
  EXPECT_EQ(text_value(one, "B"), "('B'),");
  EXPECT_EQ(text_value(one, ""), "(''),");
  EXPECT_EQ(text_value(one, "b"), "not_representable");
  EXPECT_EQ(text_value(one, "2"), "not_representable");
  const column_kind some = declared("set", "set('a','b','c')");
  EXPECT_TRUE(is_member_text("", some));
  EXPECT_TRUE(is_member_text("a,c", some));
  EXPECT_FALSE(is_member_text("c,a", some));
  EXPECT_FALSE(is_member_text("a,a", some));
  EXPECT_FALSE(is_member_text("a,", some));
  EXPECT_FALSE(is_member_text(",a", some));
  EXPECT_FALSE(is_member_text("1", some));
}

TEST(mysql_encode_test, finds_rows_again_beside_refused_ones) {
  const auto columns = std::make_shared<const schema>(
      schema{{"a", type_of(type_id::int64), true, ""}, {"b", type_of(type_id::utf8), true, ""}});
  batch_builder builder(columns, buffer_pool::make(1 << 20), {});
  for (std::int64_t i = 0; i < 4; ++i) {
    builder.at(0).append(i);
    i == 2 ? builder.at(1).append_null() : builder.at(1).append_bytes("x");
    builder.commit_row();
  }
  const auto b = builder.seal(0);
  row_encoder encoder(
      columns, {{"a", declared("int", "int"), true}, {"b", declared("varchar", "varchar(3)", 3), true}});
  encoded_rows out;
  encoder.encode(*b, form::values, out);
  EXPECT_THAT(out.rows, ElementsAre(0, 1, 3));
  EXPECT_EQ(out.range(1, 3), "(1,'x'),(3,'x'),");
  EXPECT_EQ(out.range(0, 0), "");
  ASSERT_EQ(out.refused.size(), 1U);
  EXPECT_EQ(out.refused[0].row, 2U);
  EXPECT_EQ(out.refused[0].column, "b");
}

}  // namespace
}  // namespace sluice::mysql
