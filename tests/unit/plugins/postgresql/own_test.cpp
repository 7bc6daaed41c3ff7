#include "plugins/postgresql/postgresql_own.h"

#include <gtest/gtest.h>

#include "plugins/postgresql/postgresql_encode.h"
#include "tests/unit/plugins/postgresql/hex.h"
#include "transport/record/dirty_rows.h"

namespace sluice::postgresql {
namespace {

server_type type(std::uint32_t oid, std::int32_t modifier = -1) {
  return {oid, modifier, "", false};
}

constexpr std::int32_t numeric_10_2 = (10 << 16 | 2) + 4;

struct value_of_type {
  server_type type;
  const char* hex;  ///< As PostgreSQL 15 sends it; nullptr: NULL.
};
const value_of_type values[] = {
    {type(16), "01"},
    {type(21), "8000"},
    {type(23), "ffffffff"},
    {type(20), "7fffffffffffffff"},
    {type(26), "ffffffff"},
    {type(700), "3dcccccd"},
    {type(701), "7ff8000000000000"},
    {type(1082), "fff49d7b"},
    {type(1114), "fd0f7fbdaf17e000"},
    {type(1184), "fffca2fec4c82000"},
    {type(1083), "000000141dd76000"},
    {type(2950), "0123456789abcdef0123456789abcdef"},
    {type(3802), "017b7d"},
    {type(25), "4772c3bcc39f65"},
    {type(1043, 24), ""},
    {type(17), "00ff"},
    {type(1700, numeric_10_2), "0002000000000002007b1194"},  // 123.45
    {type(1700), "0002000000000002007b1194"},
    {type(1700), "0000000000000000"},  // 0
    {type(23), nullptr},
    {type(25), nullptr},
};

struct row_of_all {
  std::vector<column_type> kinds;
  schema columns;
  std::string bytes;
};
row_of_all all_values() {
  row_of_all row;
  for (const value_of_type& v : values) {
    row.kinds.push_back(kind_of(v.type, 2));
    row.columns.push_back({"", row.kinds.back().type});
    const std::string value = v.hex == nullptr ? "" : bytes_of(v.hex);
    row.bytes +=
        v.hex == nullptr ? bytes_of("ffffffff") : bytes_of("000000") + static_cast<char>(value.size());
    row.bytes += value;
  }
  return row;
}

/// The same row decoded, so many times.
std::shared_ptr<batch> decoded(const row_of_all& row, std::size_t rows = 1) {
  batch_builder builder(std::make_shared<const schema>(row.columns), buffer_pool::make(0), {});
  field_decoder decoder(row.kinds, false);
  for (std::size_t n = 0; n < rows; ++n) {
    for (std::size_t i = 0; i < row.kinds.size(); ++i) {
      if (values[i].hex == nullptr) {
        builder.at(i).append_null();
      } else {
        EXPECT_EQ(decoder.append(i, bytes_of(values[i].hex), builder.at(i)), dirty_code::none) << i;
      }
    }
    builder.commit_row();
  }
  return builder.seal(0);
}

std::shared_ptr<batch> carried(const row_of_all& row, const std::vector<std::string>& rows) {
  const auto columns = std::make_shared<const schema>(schema{own_field(row.columns, row.kinds)});
  batch_builder builder(columns, buffer_pool::make(0), {});
  for (const std::string& bytes : rows) {
    builder.at(0).append_bytes(bytes);
    builder.commit_row();
  }
  return builder.seal(0);
}
std::shared_ptr<batch> carried(const row_of_all& row) {
  return carried(row, {row.bytes});
}

TEST(copy_codec, a_row_shows_the_texts_and_has_the_record_bytes_of_its_values) {
  const row_of_all row = all_values();
  const auto typed = decoded(row);
  const auto own = carried(row);
  EXPECT_EQ(own->record_bytes, typed->record_bytes);
  EXPECT_EQ(own->row_bytes(0, 1), typed->row_bytes(0, 1));
  EXPECT_EQ(dirty_from_row(*own, 0, dirty_side::writer).record,
            dirty_from_row(*typed, 0, dirty_side::writer).record);
}

TEST(copy_codec, many_rows_show_what_each_shows) {
  const row_of_all row = all_values();
  std::vector<std::string> rows;
  std::vector<std::uint32_t> which;
  for (std::size_t n = 0; n <= row.bytes.size(); n += 7) {  // whole ones beside some that are cut short
    rows.push_back(row.bytes);
    rows.push_back(row.bytes.substr(0, n));
    which.push_back(static_cast<std::uint32_t>(rows.size() - 1));
    which.push_back(static_cast<std::uint32_t>(rows.size() - 2));
  }
  const auto all = carried(row, rows);
  const auto together = dirty_from_rows(*all, which, dirty_side::writer);
  ASSERT_EQ(together.size(), which.size());
  for (std::size_t i = 0; i < which.size(); ++i) {
    EXPECT_EQ(together[i], dirty_from_row(*all, which[i], dirty_side::writer)) << i;
  }
}

TEST(copy_codec, bytes_cut_short_anywhere_are_never_read_past) {
  const row_of_all row = all_values();
  const copy_codec codec(row.kinds);
  std::uint64_t before = 0;
  for (std::size_t n = 0; n <= row.bytes.size(); ++n) {
    const std::string cut = row.bytes.substr(0, n);  // exactly so many, so that a sanitizer sees more
    const auto one = carried(row, {cut});
    const std::vector<std::uint32_t> first = {0};
    EXPECT_EQ(codec.texts(one->columns[0], first).size(), row.kinds.size());
    const auto bytes = one->record_bytes;
    EXPECT_GE(bytes, before);
    before = bytes;
  }
}

TEST(copy_codec, rows_measured_together_have_the_record_bytes_of_each) {
  const row_of_all row = all_values();
  std::vector<std::string> rows;
  std::uint64_t sum = 0;
  for (std::size_t n = 0; n <= row.bytes.size(); ++n) {  // whole ones beside some that are cut short anywhere
    for (const std::string& bytes : {row.bytes, row.bytes.substr(0, n), row.bytes}) {
      rows.push_back(bytes);
      sum += carried(row, {bytes})->record_bytes;
    }
  }
  const auto all = carried(row, rows);
  EXPECT_EQ(all->record_bytes, sum);
  EXPECT_EQ(all->row_bytes(1, all->rows) + all->row_bytes(0, 1), sum);
}

TEST(row_encoder, what_came_in_own_bytes_goes_out_as_it_came) {
  const row_of_all row = all_values();
  const auto b = carried(row);
  row_encoder encoder(*b->columns_schema, row.kinds, copy_form::binary);
  send_buffer to;
  ASSERT_TRUE(encoder.append(*b, 0, to));
  const std::string count = {0, static_cast<char>(row.kinds.size())};
  EXPECT_EQ(to.view(), count + row.bytes);
  to.resize(0);
  ASSERT_TRUE(encoder.append(*b, 0, to, 7));
  const std::string one_more = {0, static_cast<char>(row.kinds.size() + 1)};
  EXPECT_EQ(to.view(), one_more + bytes_of("0000000400000007") + row.bytes);
}

/// Appends all rows by blocks, which must take every one.
std::string in_blocks(const row_encoder& encoder, const batch& b) {
  send_buffer to;
  for (std::uint32_t row = 0; row < b.rows;) {
    const auto block = encoder.append_block(b, row, to);
    EXPECT_TRUE(block.appended) << row;
    row += block.rows;
  }
  return std::string(to.view());
}

TEST(row_encoder, rows_go_out_by_blocks_as_they_came) {
  constexpr std::size_t rows = 1000;  // several blocks
  row_of_all row = all_values();
  const std::string count = {0, static_cast<char>(row.kinds.size())};
  std::string expected;
  for (std::size_t i = 0; i < rows; ++i) {
    expected += count + row.bytes;
  }
  const auto typed = decoded(row, rows);
  EXPECT_EQ(in_blocks({*typed->columns_schema, row.kinds, copy_form::binary}, *typed), expected);
  const auto own = carried(row, std::vector<std::string>(rows, row.bytes));
  EXPECT_EQ(in_blocks({*own->columns_schema, row.kinds, copy_form::binary}, *own), expected);
}

TEST(row_encoder, a_block_with_a_value_that_cannot_be_sent_leaves_nothing_behind) {
  const auto columns = std::make_shared<const schema>(schema{{"c", type_of(type_id::utf8)}});
  batch_builder builder(columns, buffer_pool::make(0), {});
  for (const std::string_view text :
       {std::string_view("a"), std::string_view("b\0c", 3), std::string_view("d")}) {
    builder.at(0).append_bytes(text);
    builder.commit_row();
  }
  const auto b = builder.seal(0);
  const row_encoder encoder(*columns, {kind_of(type(25), 2)}, copy_form::binary);
  send_buffer to;
  to.append("before");
  const auto block = encoder.append_block(*b, 0, to);
  EXPECT_FALSE(block.appended);
  EXPECT_EQ(block.rows, 3u);
  EXPECT_EQ(to.view(), "before");
}

struct pair_case {
  server_type from;
  server_type to;
  bool taken;
};
const pair_case pair_cases[] = {
    {type(23), type(23), true},
    {type(23), type(20), false},
    {type(1043, 24), type(1043, 24), true},
    {type(1043, 24), type(1043, 34), false},
    {type(1043, 24), type(1043), true},   // no limit takes all
    {type(1043), type(1043, 24), false},  // the server would cut blanks
    {type(1700, numeric_10_2), type(1700), true},
    {type(1700, numeric_10_2), type(1700, numeric_10_2 + 1), false},
    {type(1114, 3), type(1114), true},
    {type(1114), type(1114, 3), false},
    {type(790), type(790), false},                                    // digits are the session's
    {type(1186), type(1186), false},                                  // travels as text
    {{20'000, -1, "mood", true}, {20'000, -1, "mood", true}, false},  // its number is its database's
    {{20'000, -1, "hstore", false}, {20'000, -1, "hstore", false}, false},
};

TEST(own_forms, are_the_same_where_the_bytes_mean_the_same) {
  for (const pair_case& c : pair_cases) {
    EXPECT_EQ(takes_own_form(c.to, own_form_of(c.from)), c.taken)
        << c.from.oid << ' ' << c.from.modifier << " to " << c.to.oid << ' ' << c.to.modifier;
  }
}

}  // namespace
}  // namespace sluice::postgresql
