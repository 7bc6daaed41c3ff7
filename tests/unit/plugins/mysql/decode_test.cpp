#include "plugins/mysql/mysql_decode.h"

#include <gtest/gtest.h>

#include "transport/record/batch.h"

namespace sluice::mysql {
namespace {

column_kind declared(const std::string& data_type, const std::string& column_type) {
  return kind_of(declared_type{data_type, column_type, "utf8mb4", 0, 0});
}

/// The value as the record would show it, or the code why there is none.
std::string decode(const column_kind& kind, std::string_view text, zero_date zeros = zero_date::dirty) {
  value_decoder decoder(kind, zeros);
  column_builder builder(decoder.type(), buffer_pool::make(1 << 20));
  const decoded done = decoder.append(text, builder);
  if (!done.ok()) {
    EXPECT_EQ(builder.size(), 0U) << "nothing may be appended: " << text;
    return std::string(to_string(done.code));
  }
  const column c = builder.seal();
  return value_text(c, decoder.type(), 0).value_or("<null>");
}

struct value_case {
  column_kind kind;
  std::string_view sent;
  std::string_view shown;
};

std::vector<value_case> good_values() {
  return {
      {declared("int", "int(11)"), "-2147483648", "-2147483648"},
      {declared("int", "int(5) zerofill"), "00042", "42"},
      {declared("bigint", "bigint"), "-9223372036854775808", "-9223372036854775808"},
      {declared("bigint", "bigint"), "9223372036854775807", "9223372036854775807"},
      {declared("bigint", "bigint unsigned"), "18446744073709551615", "18446744073709551615"},
      {declared("year", "year(4)"), "0000", "0"},
      {declared("bit", "bit(1)"), std::string_view("\x01", 1), "true"},
      {declared("bit", "bit(12)"), std::string_view("\x0f\xff", 2), "4095"},
      {declared("double", "double"), "-1.7976931348623157e308", "-1.7976931348623157e308"},
      {declared("float", "float"), "0.10000000149011612", "0.1"},
      {declared("decimal", "decimal(5,2)"), "-0.05", "-0.05"},
      {declared("decimal", "decimal(5,2)"), "999.99", "999.99"},
      {declared("decimal", "decimal(5,0)"), "42", "42"},
      {declared("decimal", "decimal(38,10)"), "-1234567890123456789012345678.0123456789",
       "-1234567890123456789012345678.0123456789"},
      {declared("decimal", "decimal(65,0)"),
       "99999999999999999999999999999999999999999999999999999999999999999",
       "99999999999999999999999999999999999999999999999999999999999999999"},
      {declared("varchar", "varchar(20)"), "\xF0\x9F\x90\xAC\n", "\xF0\x9F\x90\xAC\n"},
      {declared("blob", "blob"), std::string_view("\0\xff", 2), "AP8="},
      {declared("date", "date"), "2024-02-29", "2024-02-29"},
      {declared("date", "date"), "0001-01-01", "0001-01-01"},
      {declared("datetime", "datetime(6)"), "9999-12-31 23:59:59.999999", "9999-12-31T23:59:59.999999"},
      {declared("datetime", "datetime"), "1969-12-31 23:59:59", "1969-12-31T23:59:59"},
      {declared("datetime", "datetime(2)"), "2024-02-29 12:00:00.25", "2024-02-29T12:00:00.25"},
      {declared("timestamp", "timestamp(3)"), "2038-01-19 03:14:07.500", "2038-01-19T03:14:07.500Z"},
      {declared("time", "time(6)"), "-838:59:59.000001", "-838:59:59.000001"},
      {declared("time", "time"), "838:59:59", "838:59:59"},
      {declared("time", "time"), "-00:00:01", "-00:00:01"},
  };
}

TEST(mysql_decode_test, reads_what_the_server_sends_exactly) {
  for (const value_case& c : good_values()) {
    EXPECT_EQ(decode(c.kind, c.sent), c.shown) << c.kind.name << " " << c.sent;
  }
}

TEST(mysql_decode_test, refuses_what_the_server_never_sends) {
  const value_case cases[] = {
      {declared("int", "int(11)"), "", "not_a_number"},
      {declared("int", "int(11)"), "-", "not_a_number"},
      {declared("int", "int(11)"), "1x", "not_a_number"},
      {declared("bigint", "bigint"), "9223372036854775808", "out_of_range"},
      {declared("bigint", "bigint"), "-9223372036854775809", "out_of_range"},
      {declared("bigint", "bigint unsigned"), "-1", "out_of_range"},
      {declared("bigint", "bigint unsigned"), "18446744073709551616", "not_a_number"},
      {declared("bit", "bit(1)"), std::string_view("\x02", 1), "not_a_boolean"},
      {declared("bit", "bit(64)"), "123456789", "not_a_number"},
      {declared("float", "float"), "0.1", "not_exact"},
      {declared("decimal", "decimal(5,2)"), "1000.00", "out_of_range"},
      {declared("decimal", "decimal(5,2)"), "1.005", "too_precise"},
      {declared("varchar", "varchar(20)"), "\xED\xA0\x80", "invalid_utf8"},
      {declared("date", "date"), "2023-02-29", "not_a_date"},
      {declared("date", "date"), "2023-13-01", "not_a_date"},
      {declared("datetime", "datetime"), "2023-02-28 24:00:00", "not_a_date"},
      {declared("datetime", "datetime"), "2023-02-28 23:00:00.5", "not_a_date"},
      {declared("time", "time"), "12:60:00", "not_a_duration"},
  };
  for (const value_case& c : cases) {
    EXPECT_EQ(decode(c.kind, c.sent), c.shown) << c.kind.name << " " << c.sent;
  }
}

TEST(mysql_decode_test, treats_zero_dates_as_the_job_says) {
  for (const std::string_view zero : {"0000-00-00", "2024-00-15", "2024-02-00"}) {
    EXPECT_EQ(decode(declared("date", "date"), zero), "not_a_date");
    EXPECT_EQ(decode(declared("date", "date"), zero, zero_date::null), "<null>");
    EXPECT_EQ(decode(declared("date", "date"), zero, zero_date::text), zero);
    const std::string stamp = std::string(zero) + " 00:00:00";
    EXPECT_EQ(decode(declared("datetime", "datetime"), stamp), "not_a_date");
    EXPECT_EQ(decode(declared("datetime", "datetime"), stamp, zero_date::null), "<null>");
    EXPECT_EQ(decode(declared("timestamp", "timestamp"), stamp, zero_date::text), stamp);
  }
  EXPECT_EQ(decode(declared("date", "date"), "2024-02-29", zero_date::text), "2024-02-29");
  EXPECT_EQ(decode(declared("datetime", "datetime(6)"), "2024-02-29 01:02:03.000004", zero_date::text),
            "2024-02-29 01:02:03.000004");
}

TEST(mysql_decode_test, gives_the_text_of_a_timestamp_the_offset_it_is_written_in) {
  const column_kind kind = declared("timestamp", "timestamp(3)");
  const std::string sent = "2024-02-29 01:02:03.004";
  EXPECT_EQ(decode(kind, sent, zero_date::text), sent + "+00:00");
  EXPECT_EQ(value_decoder(kind, zero_date::text).bytes_in_batch(sent), sent.size() + 6);
  EXPECT_EQ(value_decoder(kind, zero_date::dirty).bytes_in_batch(sent), sent.size());
}

TEST(mysql_decode_test, survives_every_text_cut_short_and_every_byte_changed) {
  std::size_t tried = 0;
  for (const value_case& c : good_values()) {
    for (std::size_t n = 0; n <= c.sent.size(); ++n) {
      decode(c.kind, std::string(c.sent.substr(0, n)), zero_date::null);
      ++tried;
    }
    for (std::size_t at = 0; at < c.sent.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(c.sent);
        text[at] = static_cast<char>(byte);
        decode(c.kind, text, zero_date::text);
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 50'000U);
}

TEST(value_decoder, bytes_that_are_no_utf8_are_changed_where_the_job_says_so) {
  using relational::text_rule;
  const column_kind text = declared("varchar", "varchar(20)");
  for (const auto& [rule, shown, changed] :
       {std::tuple(text_rule::remove, "ab", change_rule::invalid_removed),
        std::tuple(text_rule::replace, "a\uFFFDb", change_rule::invalid_replaced)}) {
    value_decoder decoder(text, zero_date::dirty, rule);
    column_builder builder(decoder.type(), buffer_pool::make(1 << 20));
    EXPECT_EQ(decoder
                  .append("a\xFF"
                          "b",
                          builder)
                  .changed,
              changed);
    EXPECT_FALSE(decoder.append("good", builder).changed);
    const column c = builder.seal();
    EXPECT_EQ(value_text(c, decoder.type(), 0), shown);
    EXPECT_EQ(value_text(c, decoder.type(), 1), "good");
    EXPECT_GE(decoder.bytes_in_batch("a\xFF"
                                     "b"),
              std::string_view(shown).size());
  }
  value_decoder bytes(declared("varbinary", "varbinary(20)"), zero_date::dirty, text_rule::remove);
  column_builder builder(bytes.type(), buffer_pool::make(1 << 20));
  EXPECT_FALSE(bytes.append("a\xFF", builder).changed) << "which are no text";
  EXPECT_EQ(builder.seal().get_bytes(0), "a\xFF");
}

TEST(value_decoder, bytes_that_a_set_leaves_undefined_are_dirty_whatever_the_job_says) {
  column_kind kind = declared("varchar", "varchar(20)");
  kind.marks_undefined = true;
  value_decoder decoder(kind, zero_date::dirty, relational::text_rule::replace);
  column_builder builder(decoder.type(), buffer_pool::make(1 << 20));
  EXPECT_EQ(decoder
                .append("\xFF"
                        "abc",
                        builder)
                .code,
            dirty_code::invalid_utf8);
  EXPECT_TRUE(decoder.append("abc", builder).ok());
}

}  // namespace
}  // namespace sluice::mysql
