#include "actors/verify/row_readings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "actors/verify/reading_target.h"
#include "transport/record/batch_builder.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

const schema_ptr id_and_text =
    std::make_shared<const schema>(schema{{"id", type_of(type_id::int64)}, {"v", type_of(type_id::utf8)}});

/// A batch of (id, text); an empty text is NULL.
batch_ptr rows_of(const std::vector<std::pair<std::int64_t, std::string>>& rows) {
  const auto pool = buffer_pool::make(1 << 20);
  auto b = std::make_shared<batch>();
  column_builder ids(type_of(type_id::int64), pool);
  column_builder texts(type_of(type_id::utf8), pool);
  for (const auto& [id, text] : rows) {
    ids.append(id);
    if (text.empty()) {
      texts.append_null();
    } else {
      texts.append_bytes(text);
    }
  }
  b->columns_schema = id_and_text;
  b->rows = static_cast<std::uint32_t>(rows.size());
  b->columns.push_back(ids.seal());
  b->columns.push_back(texts.seal());
  return b;
}

compared_columns by_id() {
  return {id_and_text, {0, 1}, {0}};
}

void read(row_reading& into, const batch_ptr& b, const compared_columns& by) {
  const auto share = into.begin();
  const compared_batch form = compared_form(*b, by);
  share->add(form, hash_rows_of(form, b->rows, by));
  into.take(*share);
}

TEST(row_readings, sums_are_those_of_a_run) {
  const batch_ptr b = rows_of({{1, "a"}, {2, ""}, {3, "c"}});
  tally_reading tally;
  read(tally, b, by_id());
  EXPECT_EQ(tally.all().rows, 3U);
  EXPECT_EQ(tally.all().sum, canonical_sum(b->columns, *id_and_text, 0, 3));
  const auto heaps = std::count_if(tally.all().heaps.begin(), tally.all().heaps.end(),
                                   [](const row_tally::heap& h) { return h.rows != 0; });
  EXPECT_EQ(heaps, 3);
}

TEST(row_readings, what_was_read_of_a_split_that_is_begun_anew_is_void_and_it_counts_at_its_end) {
  const auto tally = std::make_shared<tally_reading>();
  const auto reads =
      make_reading_target(std::make_shared<const compared_columns>(by_id()), tally, "what is compared");
  const auto made = reads->make_writer(id_and_text);
  ASSERT_TRUE(made);
  writer& w = **made;
  for (const bool rolls_back : {true, false}) {
    ASSERT_TRUE(w.open({0}, epoch_number::make(1, 1, 0), {}));
    ASSERT_TRUE(w.write(*rows_of({{1, "lost"}, {2, "lost"}}), {}));
    if (rolls_back) {
      w.rollback();
    }
  }
  ASSERT_TRUE(w.open({0}, epoch_number::make(1, 1, 1), {}));
  ASSERT_TRUE(w.write(*rows_of({{1, "a"}}), {}));
  mark m;
  ASSERT_TRUE(w.commit(m, {}));
  EXPECT_EQ(tally->all().rows, 0U) << "where it ends nobody knows yet";
  m.done = true;
  ASSERT_TRUE(w.commit(m, {}));
  EXPECT_EQ(tally->all().rows, 1U);
}

TEST(row_readings, rows_with_keys_of_the_other_side_are_counted_apart) {
  tally_reading source(10);
  read(source, rows_of({{1, "a"}, {2, "b"}, {2, "c"}}), by_id());
  const auto keys = source.take_keys();
  ASSERT_TRUE(keys.has_value());
  EXPECT_EQ(keys->size(), 2U);
  tally_reading destination(0, &*keys);
  read(destination, rows_of({{2, "x"}, {3, "y"}}), by_id());
  EXPECT_EQ(destination.all().rows, 2U);
  EXPECT_EQ(destination.known().rows, 1U);
  tally_reading too_many(2);
  read(too_many, rows_of({{1, "a"}, {2, "b"}, {3, "c"}}), by_id());
  EXPECT_FALSE(too_many.take_keys().has_value());
}

TEST(row_readings, end_once_the_keys_of_all_shares_are_too_many_and_not_of_a_share_that_is_read_again) {
  const auto add = [](row_reading::share& to, const std::vector<std::pair<std::int64_t, std::string>>& rows) {
    const batch_ptr b = rows_of(rows);
    const compared_batch form = compared_form(*b, by_id());
    to.add(form, hash_rows_of(form, b->rows, by_id()));
  };
  tally_reading source(3);
  for (int again = 0; again < 3; ++again) {
    add(*source.begin(), {{1, "a"}, {2, "b"}});  // its split failed
  }
  const auto one = source.begin();
  const auto other = source.begin();
  add(*one, {{1, "a"}, {2, "b"}});
  add(*other, {{3, "c"}});
  EXPECT_TRUE(source.goes_on());
  source.take(*one);
  EXPECT_TRUE(source.goes_on());
  add(*other, {{4, "d"}});
  ASSERT_FALSE(source.goes_on());
  EXPECT_EQ(source.goes_on().error().kind, error_kind::no_room);
  EXPECT_TRUE(tally_reading().goes_on());
}

TEST(row_readings, chosen_heaps_alone_are_gathered_and_alike_records_are_counted) {
  const batch_ptr b = rows_of({{1, "a"}, {1, "a"}, {2, "b"}});
  const hashed_rows hashes = hash_rows_of(compared_form(*b, by_id()), b->rows, by_id());
  std::vector<bool> heaps(heap_count);
  heaps[heap_of(hashes.keys[0])] = true;
  gather_reading gathered(heaps);
  read(gathered, b, by_id());
  ASSERT_EQ(gathered.rows().size(), 1U);
  const auto& [key, rows] = *gathered.rows().begin();
  EXPECT_EQ(key, hashes.keys[0]);
  EXPECT_EQ(rows, (gather_reading::rows_of_key{{hashes.rows[0], 2}}));
}

TEST(row_readings, values_of_wanted_keys_are_kept_as_text) {
  const batch_ptr b = rows_of({{1, "a"}, {2, ""}});
  const auto by = std::make_shared<const compared_columns>(by_id());
  const hashed_rows hashes = hash_rows_of(compared_form(*b, *by), b->rows, *by);
  fetch_reading fetched({hashes.keys[1]}, by);
  read(fetched, b, *by);
  ASSERT_EQ(fetched.records().size(), 1U);
  const auto& records = fetched.records().at(hashes.keys[1]);
  ASSERT_EQ(records.size(), 1U);
  ASSERT_EQ(records[0].values.size(), 2U);
  EXPECT_EQ(records[0].values[0].text, "2");
  EXPECT_EQ(records[0].values[1].text, std::nullopt);
}

TEST(row_readings, of_a_long_value_its_beginning_is_kept_and_what_tells_it_from_another) {
  const auto a = fetch_reading::kept(std::string(1'000'000, 'x') + "a");
  const auto b = fetch_reading::kept(std::string(1'000'000, 'x') + "b");
  EXPECT_EQ(a.text->size(), 4096U);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.bytes, 1'000'001U);
  EXPECT_NE(a, b);
  EXPECT_NE(fetch_reading::kept(""), fetch_reading::kept(std::nullopt));
}

TEST(row_readings, blanks_at_the_end_do_not_count_where_a_server_pads) {
  compared_columns by = by_id();
  const auto sum_of = [&](const std::string& text) {
    tally_reading tally;
    read(tally, rows_of({{1, text}, {2, ""}}), by);
    return tally.all().sum;
  };
  EXPECT_NE(sum_of("a"), sum_of("a  "));
  by.padded = {1};
  EXPECT_EQ(sum_of("a"), sum_of("a  "));
  EXPECT_NE(sum_of("a"), sum_of(" a"));
}

TEST(row_readings, values_are_compared_as_the_texts_that_were_written_where_there_are_only_texts) {
  compared_columns by = by_id();
  by.texts = {[](const column& c, std::uint32_t row, std::string& to) {
                to += std::to_string(c.get<std::int64_t>(row));
                return true;
              },
              [](const column& c, std::uint32_t row, std::string& to) {
                to += c.is_null(row) ? "" : c.get_bytes(row);
                return !c.is_null(row);
              }};
  const batch_ptr b = rows_of({{17, "a"}, {18, ""}});
  const compared_batch form = compared_form(*b, by);
  EXPECT_EQ(form.types[0].type, type_of(type_id::utf8));
  EXPECT_EQ(form.columns[0].get_bytes(1), "18");
  EXPECT_EQ(form.columns[1].get_bytes(0), "a");
  EXPECT_TRUE(form.columns[1].is_null(1));
  EXPECT_FALSE(by.is_whole());
}

}  // namespace
}  // namespace sluice
