#include "plugins/postgresql/postgresql_decode.h"

#include <gtest/gtest.h>

#include "tests/unit/plugins/postgresql/hex.h"
#include "transport/record/batch.h"
#include "transport/record/calendar.h"

namespace sluice::postgresql {
namespace {

using answer = tuple_reader::answer;

const std::string begin = bytes_of("5047434f50590aff0d0a000000000000000000");

std::string tuple(std::initializer_list<std::string_view> fields) {
  std::string out = bytes_of("0000");
  out[1] = static_cast<char>(fields.size());
  for (const std::string_view f : fields) {
    if (f == "NULL") {
      out += bytes_of("ffffffff");
      continue;
    }
    out += bytes_of("000000");
    out += static_cast<char>(f.size());
    out += f;
  }
  return out;
}

TEST(tuple_reader, takes_tuples_message_by_message_to_the_end) {
  tuple_reader r(2);
  const std::string first = begin + tuple({"ab", "NULL"});
  r.feed(first);
  ASSERT_EQ(r.next(), answer::tuple);
  EXPECT_EQ(r.field(0), "ab");
  EXPECT_FALSE(r.field(1));
  EXPECT_EQ(r.next(), answer::more);
  const std::string second = tuple({"", "x"}) + tuple({"y", "z"});
  r.feed(second);
  ASSERT_EQ(r.next(), answer::tuple);
  EXPECT_EQ(r.field(0), "");
  ASSERT_EQ(r.next(), answer::tuple);
  EXPECT_EQ(r.field(1), "z");
  EXPECT_EQ(r.next(), answer::more);
  const std::string end = bytes_of("ffff");
  r.feed(end);
  EXPECT_EQ(r.next(), answer::end);
}

TEST(tuple_reader, a_message_cut_short_anywhere_is_damaged_never_read_past) {
  const std::string whole = begin + tuple({"abc", "NULL", "de"});
  for (std::size_t n = 1; n < whole.size(); ++n) {
    // A copy of exactly so many bytes, so that a sanitizer sees what is read behind them.
    const std::string cut = whole.substr(0, n);
    for (const std::vector<std::int32_t>& usual : {std::vector<std::int32_t>{}, {3, 4, 2}, {9, 0, 9}}) {
      tuple_reader r(3, 3, usual);
      r.feed(cut);
      EXPECT_EQ(r.next(), n == begin.size() ? answer::more : answer::damaged) << n;
    }
  }
}

TEST(tuple_reader, takes_the_first_fields_apart_and_the_rest_as_it_came) {
  const std::string fields = tuple({"abc", "NULL", "de"});
  const std::string whole = begin + fields;
  for (const std::size_t looked_at : {0, 1, 2}) {
    tuple_reader r(3, looked_at, {3, 4});  // guesses, of which one is right
    r.feed(whole);
    ASSERT_EQ(r.next(), answer::tuple);
    EXPECT_EQ(r.raw(0, 3), fields.substr(2));
    if (looked_at != 0) {
      EXPECT_EQ(r.field(0), "abc");
    }
    ASSERT_TRUE(r.take_apart());
    EXPECT_EQ(r.field(2), "de");
    EXPECT_EQ(r.raw(0, 3), fields.substr(2));
    EXPECT_EQ(r.next(), answer::more);
  }
}

TEST(tuple_reader, what_is_taken_as_it_came_has_at_least_a_length_for_each_field) {
  const std::string two_lengths = begin + bytes_of("0003ffffffffffffffff");
  tuple_reader r(3, 0);
  r.feed(two_lengths);
  EXPECT_EQ(r.next(), answer::damaged);
  const std::string long_field = begin + bytes_of("0002ffffffff00000009aa");
  tuple_reader s(2, 0);
  s.feed(long_field);
  ASSERT_EQ(s.next(), answer::tuple);
  EXPECT_FALSE(s.take_apart());
}

TEST(tuple_reader, another_count_of_fields_or_bytes_behind_the_end_are_damaged) {
  tuple_reader r(1);
  const std::string two = begin + tuple({"a", "b"});
  r.feed(two);
  EXPECT_EQ(r.next(), answer::damaged);
  tuple_reader s(1);
  const std::string behind = begin + bytes_of("ffff00");
  s.feed(behind);
  EXPECT_EQ(s.next(), answer::damaged);
  tuple_reader t(1);
  const std::string negative = begin + bytes_of("0001fffffffe");
  t.feed(negative);
  EXPECT_EQ(t.next(), answer::damaged);
}

TEST(tuple_reader, goes_back_to_a_tuple_of_which_all_is_kept) {
  const std::string kept = tuple({"abc", "NULL", "de"}).substr(2);
  const std::string whole = begin + tuple({"x", "y", "z"});
  tuple_reader r(3, 0);
  r.feed(whole);
  ASSERT_EQ(r.next(), answer::tuple);
  ASSERT_TRUE(r.take_up(kept));
  EXPECT_EQ(r.field(0), "abc");
  EXPECT_FALSE(r.field(1));
  EXPECT_EQ(r.raw(0, 3), kept);
  for (std::size_t n = 0; n < kept.size(); ++n) {
    EXPECT_FALSE(r.take_up(kept.substr(0, n))) << n;
  }
  EXPECT_FALSE(r.take_up(kept + "x"));
}

TEST(tuple_block, takes_tuples_apart_field_by_field) {
  const std::string first = tuple({"ab", "NULL"}).substr(2);
  const std::string second = tuple({"cd", ""}).substr(2);
  tuple_block b;
  b.add(first);
  b.add(second);
  ASSERT_EQ(b.count(), 2u);
  ASSERT_TRUE(b.next());
  EXPECT_TRUE(b.all_have(2));
  EXPECT_FALSE(b.any_is_null());
  EXPECT_EQ(b.value(0), "ab");
  EXPECT_EQ(b.value(1), "cd");
  EXPECT_FALSE(b.ended());
  ASSERT_TRUE(b.next());
  EXPECT_FALSE(b.all_have(0));
  EXPECT_TRUE(b.any_is_null());
  EXPECT_TRUE(b.is_null(0));
  EXPECT_EQ(b.value(1), "");
  EXPECT_TRUE(b.ended());
  EXPECT_FALSE(b.next());
  b.clear();
  b.add(second);
  EXPECT_TRUE(b.next());
}

TEST(tuple_block, a_tuple_cut_short_anywhere_is_no_good_and_never_read_past) {
  const std::string whole = tuple({"abc", "NULL", "de"}).substr(2);
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const std::string cut = whole.substr(0, n);
    tuple_block b;
    b.add(whole);
    b.add(cut);
    EXPECT_EQ(b.next() && b.next() && b.next() && b.ended(), n == whole.size()) << n;
  }
  const std::string negative = bytes_of("fffffffe");
  tuple_block b;
  b.add(negative);
  EXPECT_FALSE(b.next());
}

struct field_case {
  std::uint32_t oid;
  const char* hex;
  const char* text;  ///< As the batch has it.
};
/// Sent by PostgreSQL 15.
constexpr field_case field_cases[] = {
    {16, "01", "true"},
    {21, "8000", "-32768"},
    {23, "ffffffff", "-1"},
    {20, "7fffffffffffffff", "9223372036854775807"},
    {26, "ffffffff", "4294967295"},
    {700, "3dcccccd", "0.1"},
    {701, "7ff8000000000000", "NaN"},
    {1082, "fff49d7b", "-0043-03-15"},
    {1082, "ffffffff", "1999-12-31"},
    {1082, "7fffffff", "infinity"},
    {1114, "fd0f7fbdaf17e000", "-4712-01-01T00:00:00.000000"},
    {1184, "fffca2fec4c82000", "1970-01-01T00:00:00.000000Z"},
    {1114, "8000000000000000", "-infinity"},
    {1083, "000000141dd76000", "24:00:00.000000"},
    {2950, "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"},
    {3802, "017b7d", "{}"},
    {790, "00000000000004d2", "12.34"},
};

TEST(field_decoder, the_servers_bytes_become_the_value) {
  const auto pool = buffer_pool::make(1 << 20);
  for (const field_case& c : field_cases) {
    const column_type kind = kind_of({c.oid, -1, "", false}, 2);
    field_decoder decoder({kind}, false);
    column_builder to(kind.type, pool);
    ASSERT_EQ(decoder.append(0, bytes_of(c.hex), to), dirty_code::none) << c.text;
    const column made = to.seal();
    EXPECT_EQ(value_text(made, kind.type, 0), c.text);
  }
}

TEST(field_decoder, bytes_of_another_length_are_of_another_type) {
  const auto pool = buffer_pool::make(1 << 20);
  for (const field_case& c : field_cases) {
    const column_type kind = kind_of({c.oid, -1, "", false}, 2);
    if (kind.form == wire_form::jsonb) {
      continue;
    }
    field_decoder decoder({kind}, false);
    column_builder to(kind.type, pool);
    EXPECT_EQ(decoder.append(0, bytes_of(c.hex) + "x", to), dirty_code::wrong_type) << c.text;
    EXPECT_EQ(decoder.append(0, "", to), dirty_code::wrong_type) << c.text;
    EXPECT_EQ(to.size(), 0u);
  }
}

std::vector<std::string> texts_in(const column& c, const data_type& type, std::uint32_t rows) {
  std::vector<std::string> texts;
  for (std::uint32_t row = 0; row < rows; ++row) {
    texts.push_back(c.is_null(row) ? "NULL" : value_text(c, type, row).value_or("?"));
  }
  return texts;
}

/// The fields as a block behind some rows; nothing where they are refused.
std::optional<std::vector<std::string>> read_as_block(const column_type& kind,
                                                      const std::vector<std::optional<std::string>>& before,
                                                      const std::vector<std::optional<std::string>>& values) {
  field_decoder decoder({kind}, false);
  column_builder to(kind.type, buffer_pool::make(1 << 20));
  for (const auto& v : before) {
    if (v) {
      EXPECT_EQ(decoder.append(0, *v, to), dirty_code::none);
    } else {
      to.append_null();
    }
  }
  std::string bytes;
  std::vector<std::size_t> begins;
  for (const auto& v : values) {
    begins.push_back(bytes.size());
    bytes += tuple({v ? std::string_view(*v) : "NULL"}).substr(2);
  }
  begins.push_back(bytes.size());
  bytes.append(tuple_block::slack, '\xEE');
  tuple_block tuples;
  for (std::size_t i = 0; i < values.size(); ++i) {
    tuples.add(std::string_view(bytes).substr(begins[i], begins[i + 1] - begins[i]));
  }
  EXPECT_TRUE(tuples.next());
  if (!decoder.append_block(0, tuples, to)) {
    return std::nullopt;
  }
  const auto rows = static_cast<std::uint32_t>(before.size() + values.size());
  EXPECT_EQ(to.size(), rows);
  return texts_in(to.seal(), kind.type, rows);
}

TEST(field_decoder, a_block_of_fields_becomes_the_same_values) {
  for (const field_case& c : field_cases) {
    const column_type kind = kind_of({c.oid, -1, "", false}, 2);
    const std::string bytes = bytes_of(c.hex);
    const std::string text = c.text;
    using texts = std::vector<std::string>;
    EXPECT_EQ(read_as_block(kind, {}, {bytes}), texts({text}));
    EXPECT_EQ(read_as_block(kind, {bytes}, {bytes, bytes, bytes}), texts({text, text, text, text}));
    EXPECT_EQ(read_as_block(kind, {}, {std::nullopt, bytes, std::nullopt}), texts({"NULL", text, "NULL"}));
    EXPECT_EQ(read_as_block(kind, {std::nullopt}, {bytes, bytes}), texts({"NULL", text, text}));
    if (kind.form != wire_form::jsonb) {
      EXPECT_FALSE(read_as_block(kind, {}, {bytes, bytes + "x", bytes})) << c.text;
    }
  }
}

TEST(field_decoder, a_block_of_texts_has_them_of_every_length) {
  const column_type kind = kind_of({25, -1, "", false}, 2);
  const std::vector<std::string> all = {"",
                                        "\u00e9",
                                        std::string(31, 'a'),
                                        std::string(32, 'b'),
                                        std::string(33, 'c'),
                                        "",
                                        std::string(120, 'd'),
                                        "e"};
  const std::vector<std::optional<std::string>> values(all.begin(), all.end());
  EXPECT_EQ(read_as_block(kind, {}, values), all);
  EXPECT_EQ(read_as_block(kind, {}, {"", ""}), std::vector<std::string>({"", ""}));
}

TEST(field_decoder, a_block_of_numbers_has_the_large_and_refuses_what_is_none) {
  const column_type kind = kind_of({1700, (38 << 16 | 2) + 4, "", false}, 2);
  const auto small = bytes_of("0002000000000002000116a8");  // 1.58
  const auto negative = bytes_of("0001ffff4000000201f4");   // -0.05
  const auto large = bytes_of("00070005000000020001270f270f270f270f270f26ac");
  const std::string nan = bytes_of("00000000c0000000");
  const auto read = read_as_block(kind, {}, {small, negative, large, bytes_of("0000000000000002")});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, std::vector<std::string>({"1.58", "-0.05", "199999999999999999999.99", "0.00"}));
  EXPECT_FALSE(read_as_block(kind, {}, {small, nan, small}));
  EXPECT_FALSE(read_as_block(kind, {}, {small, bytes_of("0001ffff0000000401f5"), small}));  // 0.0501
}

TEST(field_decoder, a_block_refuses_days_and_times_that_a_batch_cannot_have) {
  const column_type day = kind_of({1082, -1, "", false}, 2);
  const std::string day_2000 = bytes_of("00000000");
  EXPECT_TRUE(read_as_block(day, {}, {day_2000, bytes_of("7fffffff"), bytes_of("80000000")}));
  EXPECT_FALSE(read_as_block(day, {}, {day_2000, bytes_of("7ffffffe"), day_2000}));
  const column_type time = kind_of({1114, -1, "", false}, 2);
  EXPECT_FALSE(read_as_block(time, {}, {bytes_of("7fffff5bb3b29fff"), bytes_of("0000000000000000")}));
}

TEST(field_decoder, a_time_beyond_microseconds_since_1970_is_refused_with_its_text) {
  const column_type kind = kind_of({1114, -1, "", false}, 2);
  field_decoder decoder({kind}, false);
  column_builder to(kind.type, buffer_pool::make(1 << 20));
  const std::string last = bytes_of("7fffff5bb3b29fff");
  EXPECT_EQ(decoder.append(0, last, to), dirty_code::out_of_range);
  EXPECT_EQ(decoder.text_of(0, last), "294276-12-31 23:59:59.999999");
}

TEST(field_decoder, a_server_that_does_not_vouch_for_its_texts_is_checked) {
  const column_type kind = kind_of({25, -1, "", false}, 2);
  column_builder to(kind.type, buffer_pool::make(1 << 20));
  field_decoder checked({kind}, true);
  EXPECT_EQ(checked.append(0, "\xff", to), dirty_code::invalid_utf8);
  EXPECT_EQ(checked.text_of(0, "\xff"), "\\xff");
}

TEST(field_decoder, bytes_that_are_no_utf8_are_changed_where_the_job_says_so) {
  using relational::text_rule;
  const column_type kind = kind_of({25, -1, "", false}, 2);
  column_builder to(kind.type, buffer_pool::make(1 << 20));
  field_decoder replaces({kind}, true, text_rule::replace);
  EXPECT_EQ(replaces.append(0, "a\xff", to), dirty_code::none);
  EXPECT_EQ(replaces.changed(), change_rule::invalid_replaced);
  EXPECT_GE(replaces.bytes_in_batch(0, "a\xff"), std::string_view("a\uFFFD").size());
  EXPECT_EQ(replaces.append(0, "good", to), dirty_code::none);
  EXPECT_FALSE(replaces.changed());
  const column c = to.seal();
  EXPECT_EQ(c.get_bytes(0), "a\uFFFD");
  EXPECT_EQ(c.get_bytes(1), "good");
}

TEST(server_text, dates_are_written_as_the_server_reads_them) {
  EXPECT_EQ(date_text(static_cast<std::int32_t>(days_from_civil(-43, 3, 15)) - epoch_days), "0044-03-15 BC");
  EXPECT_EQ(date_text(static_cast<std::int32_t>(days_from_civil(12345, 1, 1)) - epoch_days), "12345-01-01");
  EXPECT_EQ(timestamp_text(0, false), "2000-01-01 00:00:00");
  EXPECT_EQ(timestamp_text(-1, true), "1999-12-31 23:59:59.999999+00");
  EXPECT_EQ(timestamp_text(timestamp_least, false), "4714-11-24 00:00:00 BC");
}

}  // namespace
}  // namespace sluice::postgresql
