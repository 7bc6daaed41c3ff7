#include "plugins/postgresql/postgresql_encode.h"

#include <gtest/gtest.h>

#include "plugins/postgresql/postgresql_decode.h"
#include "tests/unit/plugins/postgresql/hex.h"
#include "transport/record/batch_builder.h"

namespace sluice::postgresql {
namespace {

column_type kind(std::uint32_t oid, std::int32_t modifier = -1) {
  return kind_of({oid, modifier, "", false}, 2);
}

/// A batch of one column.
std::shared_ptr<batch> one_column(const data_type& type, const std::function<void(column_builder&)>& fill) {
  auto columns = std::make_shared<schema>(schema{{"c", type, true}});
  batch_builder builder(columns, buffer_pool::make(1 << 20), {});
  fill(builder.at(0));
  builder.commit_rows(builder.at(0).size());
  return builder.seal(0);
}

std::string encoded(const column_type& k, const batch& b, copy_form form) {
  row_encoder encoder(*b.columns_schema, {k}, form);
  send_buffer to;
  for (std::uint32_t row = 0; row < b.rows; ++row) {
    if (!encoder.append(b, row, to)) {
      return "refused: " + std::string(encoder.problem().code);
    }
  }
  return std::string(to.view());
}

TEST(row_encoder, what_it_writes_the_decoder_reads_back) {
  const std::string copy =
      bytes_of("0002") + bytes_of("00000004") + bytes_of("fff49d7b") + bytes_of("ffffffff");
  const std::vector<column_type> kinds = {kind(1082), kind(20)};
  auto columns = std::make_shared<schema>(schema{{"d", kinds[0].type, true}, {"n", kinds[1].type, true}});
  batch_builder builder(columns, buffer_pool::make(1 << 20), {});
  field_decoder decoder(kinds, false);
  ASSERT_EQ(decoder.append(0, bytes_of("fff49d7b"), builder.at(0)), dirty_code::none);
  builder.at(1).append_null();
  builder.commit_row();
  const auto b = builder.seal(0);
  row_encoder encoder(*columns, kinds, copy_form::binary);
  send_buffer to;
  ASSERT_TRUE(encoder.append(*b, 0, to));
  EXPECT_EQ(to.view(), copy);
}

TEST(row_encoder, in_the_text_form_nothing_ends_a_field_early) {
  const auto b = one_column(type_of(type_id::utf8), [](column_builder& c) {
    c.append_bytes("a\tb\nc\r\\N");
    c.append_null();
    c.append_bytes("");
    c.append_bytes("\\.");
  });
  EXPECT_EQ(encoded(kind(869), *b, copy_form::text), "a\\tb\\nc\\r\\\\N\n\\N\n\n\\\\.\n");
}

TEST(row_encoder, in_the_text_form_values_read_back) {
  const auto bytes =
      one_column(type_of(type_id::binary), [](column_builder& c) { c.append_bytes("\x01\xff"); });
  EXPECT_EQ(encoded(kind(17), *bytes, copy_form::text), "\\\\x01ff\n");
  const auto flag = one_column(type_of(type_id::boolean), [](column_builder& c) { c.append_bool(true); });
  EXPECT_EQ(encoded(kind(16), *flag, copy_form::text), "t\n");
  const auto when = one_column(time_type(type_id::instant, time_unit::micro),
                               [](column_builder& c) { c.append(std::int64_t{-1}); });
  EXPECT_EQ(encoded(kind(1184), *when, copy_form::text), "1969-12-31 23:59:59.999999+00\n");
}

TEST(row_encoder, as_values_of_a_statement_what_has_no_binary_form_stands_as_its_text) {
  const auto address = one_column(type_of(type_id::utf8), [](column_builder& c) {
    c.append_bytes("a\tb");
    c.append_null();
  });
  EXPECT_EQ(encoded(kind(869), *address, copy_form::binary),
            bytes_of("0001") + bytes_of("00000003") + "a\tb" + bytes_of("0001") + bytes_of("ffffffff"));
  // Of a server that sends times in another form: with its offset, so that no session's zone has a say.
  column_type time = kind(1184);
  time.form = wire_form::as_text;
  const auto when = one_column(time_type(type_id::instant, time_unit::micro), [](column_builder& c) {
    c.append(std::int64_t{-1});
    c.append_null();
  });
  EXPECT_EQ(encoded(time, *when, copy_form::binary), bytes_of("0001") + bytes_of("0000001d") +
                                                         "1969-12-31 23:59:59.999999+00" + bytes_of("0001") +
                                                         bytes_of("ffffffff"));
}

TEST(row_encoder, what_the_server_would_change_or_cannot_hold_is_refused) {
  const auto text = [](std::string_view v) {
    return one_column(type_of(type_id::utf8), [&](column_builder& c) { c.append_bytes(v); });
  };
  const std::string_view nul("a\0b", 3);
  EXPECT_EQ(encoded(kind(25), *text(nul), copy_form::binary), "refused: not_in_charset");
  EXPECT_EQ(encoded(kind(869), *text(nul), copy_form::text), "refused: not_in_charset");
  EXPECT_EQ(encoded(kind(3802), *text(nul), copy_form::binary), "refused: not_in_charset");
  EXPECT_EQ(encoded(kind(1266, 2), *text("01:02:03.125+02"), copy_form::text), "refused: too_precise");
  EXPECT_EQ(encoded(kind(1266, 2), *text("01:02:03.120+02"), copy_form::text), "01:02:03.120+02\n");
  EXPECT_EQ(encoded(kind(1186), *text("00:00:00.1234567"), copy_form::text), "refused: too_precise");
  EXPECT_EQ(encoded(kind(2950), *text("x"), copy_form::binary), "refused: not_representable");
  const auto early = one_column(time_type(type_id::timestamp, time_unit::micro),
                                [](column_builder& c) { c.append(timestamp_least + epoch_micros - 1); });
  EXPECT_EQ(encoded(kind(1114), *early, copy_form::binary), "refused: out_of_range");
  const auto late =
      one_column(type_of(type_id::date), [](column_builder& c) { c.append(date_end + epoch_days); });
  EXPECT_EQ(encoded(kind(1082), *late, copy_form::binary), "refused: out_of_range");
}

TEST(row_encoder, a_row_that_is_refused_leaves_nothing_behind) {
  const auto b = one_column(type_of(type_id::utf8), [](column_builder& c) {
    c.append_bytes("good");
    c.append_bytes(std::string_view("\0", 1));
  });
  row_encoder encoder(*b->columns_schema, {kind(25)}, copy_form::binary);
  send_buffer to;
  ASSERT_TRUE(encoder.append(*b, 0, to));
  const std::string before(to.view());
  EXPECT_FALSE(encoder.append(*b, 1, to));
  EXPECT_EQ(to.view(), before);
}

TEST(copy_form, is_binary_where_every_column_has_such_a_form) {
  EXPECT_EQ(form_for({kind(23), kind(25), kind(1700)}), copy_form::binary);
  EXPECT_EQ(form_for({kind(23), kind(869)}), copy_form::text);
}

TEST(row_encoder, nul_characters_are_changed_where_the_job_says_so_and_told) {
  const auto b = one_column(type_of(type_id::utf8), [](column_builder& c) {
    c.append_bytes(std::string_view("a\0b", 3));
    c.append_bytes("good");
  });
  EXPECT_EQ(encoded(kind(25), *b, copy_form::text), "refused: not_in_charset");
  for (const auto form : {copy_form::text, copy_form::binary}) {
    row_encoder encoder(*b->columns_schema, {kind(25)}, form, relational::text_rule::remove);
    send_buffer to;
    ASSERT_TRUE(encoder.append(*b, 0, to));
    EXPECT_EQ(encoder.changes(), (std::vector<changed_value>{{0, 0, change_rule::nul_removed}}));
    EXPECT_NE(to.view().find("ab"), std::string_view::npos);
    ASSERT_TRUE(encoder.append(*b, 1, to));
    EXPECT_TRUE(encoder.changes().empty()) << "of the row appended last";
  }
  row_encoder replaces(*b->columns_schema, {kind(3802)}, copy_form::binary, relational::text_rule::replace);
  send_buffer to;
  ASSERT_TRUE(replaces.append(*b, 0, to));
  EXPECT_NE(to.view().find("a\uFFFDb"), std::string_view::npos) << "jsonb too";
}

}  // namespace
}  // namespace sluice::postgresql
