#include "actors/pipeline/channel_core.h"

#include <gtest/gtest.h>

#include "actors/plan/own_encoding.h"
#include "tests/unit/actors/cores_test_kit.h"

namespace sluice {
namespace {

using namespace sluice::testing;

const epoch_number epoch = epoch_number::make(1, 1, 0);

class channel_log : public channel_out {
 public:
  std::vector<batch_ptr> batches;
  std::vector<sent_msg> sents;
  std::vector<rewind_msg> rewinds;
  std::vector<credit_msg> credits;
  std::vector<std::uint64_t> tickets;
  void to_writer(batch_ptr b) override { batches.push_back(std::move(b)); }
  void to_writer(const sent_msg& m) override { sents.push_back(m); }
  void to_reader(const rewind_msg& m) override { rewinds.push_back(m); }
  void to_reader(const credit_msg& m) override { credits.push_back(m); }
  void ask_throttle(std::uint64_t ticket, std::uint64_t, std::uint64_t) override {
    tickets.push_back(ticket);
  }
};

/// Text columns `n` (to a number) and `f` as they are.
std::shared_ptr<const mapping> text_to_number(std::vector<transformer_spec> transformers = {}) {
  job what;
  what.transformers = std::move(transformers);
  const auto from = std::make_shared<const schema>(
      schema{{"n", type_of(type_id::utf8), true, "text"}, {"f", type_of(type_id::utf8), true, "text"}});
  const auto to = std::make_shared<const schema>(
      schema{{"n", type_of(type_id::int64), true, "bigint"}, {"f", type_of(type_id::utf8), true, "text"}});
  conversion_context context;
  context.zone = *time_zone::find("UTC");
  return *make_mapping(what, from, to, context);
}

std::shared_ptr<const mapping> untouched() {
  return *make_mapping(job{}, one_number(), one_number(), conversion_context{});
}

std::shared_ptr<batch> texts(const std::vector<std::pair<std::string, std::string>>& rows,
                             std::uint64_t position_first = 0) {
  static const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(text_to_number()->source, pool, {});
  for (const auto& [n, f] : rows) {
    builder.at(0).append_bytes(n);
    builder.at(1).append_bytes(f);
    builder.commit_row();
  }
  builder.set_cursor({{"next", {std::int64_t{1}}}});
  auto b = builder.seal(position_first);
  b->sequence = 1;
  b->epoch = epoch;
  b->split = {7};
  b->split_end = true;
  return b;
}

channel_core::config config_of(std::shared_ptr<const mapping> map, bool throttled = false) {
  return {std::move(map), buffer_pool::make(1 << 20), divide_memory(16 << 20, 1, {}), throttled};
}

rewind_msg begin(std::uint64_t window = 1 << 20) {
  return {{7}, {}, epoch, std::nullopt, 0, window};
}

TEST(channel_core, a_rewind_goes_on_to_the_reader_with_the_channels_own_window) {
  channel_log log;
  const auto c = config_of(untouched());
  channel_core core(c, log);
  core.rewind(begin(12345));
  ASSERT_EQ(log.rewinds.size(), 1u);
  EXPECT_EQ(log.rewinds[0].window_bytes, c.memory.window_bytes);
  EXPECT_EQ(log.rewinds[0].epoch, epoch);
}

TEST(channel_core, nothing_is_sent_without_credit_and_the_readers_credit_waits_for_it) {
  channel_log log;
  channel_core core(config_of(untouched()), log);
  const std::uint64_t bytes = numbers(0, 1000, 1, epoch)->bytes_held();
  core.rewind(begin(bytes));
  core.take(numbers(0, 1000, 1, epoch));
  core.take(numbers(1000, 1000, 2, epoch));
  EXPECT_EQ(log.batches.size(), 1u);
  EXPECT_GT(core.bytes_queued(), 0u);
  const std::size_t credits = log.credits.size();
  core.credit({{7}, epoch, 2 * bytes});
  EXPECT_EQ(log.batches.size(), 2u);
  EXPECT_EQ(log.batches[1]->sequence, 2u);
  EXPECT_GT(log.credits.size(), credits);
  EXPECT_EQ(core.bytes_queued(), 0u);
}

TEST(channel_core, batches_of_an_older_epoch_and_repeats_are_dropped) {
  channel_log log;
  channel_core core(config_of(untouched()), log);
  core.rewind(begin());
  core.take(numbers(0, 10, 1, epoch));
  core.take(numbers(0, 10, 1, epoch));
  core.take(numbers(10, 10, 2, epoch_number::make(1, 0, 9)));
  EXPECT_EQ(log.batches.size(), 1u);
}

TEST(channel_core, a_rewind_throws_away_what_waits_and_an_older_one_is_passed_by) {
  channel_log log;
  channel_core core(config_of(untouched()), log);
  core.rewind(begin(1));
  core.take(numbers(0, 10, 1, epoch));
  core.take(numbers(10, 10, 2, epoch));
  EXPECT_EQ(log.batches.size(), 1u) << "a batch over the window is charged one window";
  EXPECT_GT(core.bytes_queued(), 0u);
  rewind_msg next = begin();
  next.epoch = epoch.next();
  core.rewind(next);
  EXPECT_EQ(core.bytes_queued(), 0u);
  EXPECT_EQ(log.batches.size(), 1u);
  core.rewind(begin());
  EXPECT_EQ(log.rewinds.size(), 2u) << "the reader was sent back to an older epoch";
  core.take(numbers(0, 10, 1, epoch.next()));
  EXPECT_EQ(log.batches.size(), 2u);
}

TEST(channel_core, what_was_sent_is_told_again_so_that_a_lost_batch_is_noticed) {
  channel_log log;
  channel_core core(config_of(untouched()), log);
  core.tick();
  EXPECT_TRUE(log.sents.empty());
  core.rewind(begin());
  core.take(numbers(0, 10, 1, epoch));
  core.tick();
  ASSERT_EQ(log.sents.size(), 1u);
  EXPECT_EQ(log.sents[0].sequence, 1u);
  core.sent({{7}, epoch, 2, false});
  ASSERT_EQ(log.sents.size(), 2u);
  EXPECT_EQ(log.sents[1].sequence, 2u) << "the reader has sent a batch that did not come";
}

TEST(channel_core, a_ticket_of_the_throttle_lets_nothing_pass_behind_a_rewind) {
  channel_log log;
  channel_core core(config_of(untouched(), true), log);
  core.rewind(begin());
  core.take(numbers(0, 10, 1, epoch));
  ASSERT_EQ(log.tickets.size(), 1u);
  rewind_msg next = begin();
  next.epoch = epoch.next();
  core.rewind(next);
  core.take(numbers(0, 10, 1, epoch.next()));
  ASSERT_EQ(log.tickets.size(), 2u);
  core.throttle_passed(log.tickets[0]);
  EXPECT_TRUE(log.batches.empty());
  core.throttle_passed(log.tickets[1]);
  EXPECT_EQ(log.batches.size(), 1u);
}

TEST(channel_core, a_gap_is_told_to_the_writer_who_alone_can_begin_a_new_epoch) {
  channel_log log;
  channel_core core(config_of(untouched()), log);
  core.rewind(begin());
  core.take(numbers(0, 10, 1, epoch));
  core.take(numbers(20, 10, 3, epoch));
  EXPECT_EQ(log.batches.size(), 1u);
  ASSERT_EQ(log.sents.size(), 1u);
  EXPECT_EQ(log.sents[0].sequence, 2u) << "the writer has only batch 1 and must see that 2 is missing";
}

TEST(channel_core, what_does_not_fit_is_dirty_with_column_value_and_type_and_the_rest_goes_on) {
  channel_log log;
  channel_core core(config_of(text_to_number()), log);
  core.rewind(begin());
  core.take(texts({{"1", "a"}, {"x", "b"}, {"3", "c"}}));
  ASSERT_EQ(log.batches.size(), 1u);
  const batch& b = *log.batches[0];
  EXPECT_EQ(b.rows, 2u);
  EXPECT_EQ(b.records_read, 3u);
  EXPECT_EQ(b.columns[0].get<std::int64_t>(1), 3);
  EXPECT_EQ(b.position_of(1), 2u);
  ASSERT_EQ(b.dirty.size(), 1u);
  EXPECT_EQ(b.dirty[0].position, 1u);
  EXPECT_EQ(b.dirty[0].side, dirty_side::channel);
  EXPECT_EQ(b.dirty[0].column, "n");
  EXPECT_EQ(b.dirty[0].value, "x");
  EXPECT_EQ(b.dirty[0].code, "not_a_number");
  EXPECT_TRUE(b.changed);
}

TEST(channel_core, filtered_records_are_counted_and_a_filtered_one_is_not_dirty_as_well) {
  channel_log log;
  channel_core core(config_of(text_to_number({{"dx_filter", 1, {"=", "out"}, "t.json"}})), log);
  core.rewind(begin());
  core.take(texts({{"1", "in"}, {"x", "out"}, {"3", "out"}, {"y", "in"}}));
  ASSERT_EQ(log.batches.size(), 1u);
  EXPECT_EQ(log.batches[0]->rows, 1u);
  EXPECT_EQ(log.batches[0]->filtered, 2u);
  ASSERT_EQ(log.batches[0]->dirty.size(), 1u);
  EXPECT_EQ(log.batches[0]->dirty[0].value, "y");
}

TEST(channel_core,
     a_changed_column_is_converted_and_a_value_that_a_function_refuses_is_dirty_as_it_was_read) {
  channel_log log;
  channel_core core(config_of(text_to_number({{"dx_substr", 0, {"1", "2"}, "t.json"},
                                              {"dx_filter", 0, {"=", "99"}, "t.json"},
                                              {"dx_pad", 1, {"l", "3", "*"}, "t.json"}})),
                    log);
  core.rewind(begin());
  core.take(texts({{"x12", "a"}, {"", "b"}, {"x99", "c"}, {"xyz", "d"}, {"x347", "efgh"}}));
  ASSERT_EQ(log.batches.size(), 1u);
  const batch& b = *log.batches[0];
  ASSERT_EQ(b.rows, 2u);
  EXPECT_EQ(b.columns[0].get<std::int64_t>(0), 12);
  EXPECT_EQ(b.columns[1].get_bytes(0), "**a");
  EXPECT_EQ(b.columns[0].get<std::int64_t>(1), 34);
  EXPECT_EQ(b.columns[1].get_bytes(1), "efg");
  EXPECT_EQ(b.position_of(1), 4u);
  EXPECT_EQ(b.filtered, 1u);
  EXPECT_EQ(b.records_read, 5u);
  ASSERT_EQ(b.dirty.size(), 2u);
  EXPECT_EQ(b.dirty[0].position, 1u);
  EXPECT_EQ(b.dirty[0].code, "bad_parameter");
  EXPECT_EQ(b.dirty[0].column, "n");
  EXPECT_EQ(b.dirty[0].value, "");
  EXPECT_EQ(b.dirty[1].position, 3u);
  EXPECT_EQ(b.dirty[1].code, "not_a_number");
  EXPECT_EQ(b.dirty[1].value, "yz") << "the value that did not fit";
  ASSERT_EQ(b.dirty[1].record.size(), 2u);
  EXPECT_EQ(b.dirty[1].record[0].text, "xyz") << "the record as it was read";
}

TEST(channel_core, columns_behind_functions_are_what_a_destination_is_asked_to_take) {
  job what;
  what.transformers = {{"dx_pad", 0, {"l", "8", "0"}, "t.json"}};
  const auto behind = columns_behind_transformers(what, one_number(), {});
  ASSERT_TRUE(behind) << behind.error().message;
  EXPECT_EQ((**behind)[0].type.id, type_id::utf8);
  EXPECT_EQ((**behind)[0].name, (*one_number())[0].name);
}

TEST(channel_core, values_changed_as_datax_does_are_counted_in_the_batch_that_has_them) {
  job what;
  what.compat = compat_mode::datax;
  const auto map = text_to_number();
  const auto datax = make_mapping(what, map->source, map->target, {});
  ASSERT_TRUE(datax) << datax.error().message;
  ASSERT_EQ((*datax)->lines.size(), 1u);
  EXPECT_EQ((*datax)->lines[0],
            "column 0 \"n\" utf8 to \"n\" int64: as DataX does it, counted: empty_is_null, fraction_cut");
  channel_log log;
  channel_core core(config_of(*datax), log);
  core.rewind(begin());
  core.take(texts({{"1.5", "a"}, {"2", "b"}, {"x", "c"}, {"-3.9", "d"}}));
  ASSERT_EQ(log.batches.size(), 1u);
  EXPECT_EQ(log.batches[0]->rows, 3u);
  EXPECT_EQ(log.batches[0]->columns[0].get<std::int64_t>(0), 1);
  EXPECT_EQ(log.batches[0]->columns[0].get<std::int64_t>(2), -3);
  EXPECT_EQ(log.batches[0]->dirty.size(), 1u) << "DataX refuses it too";
  const change_counts expected = {{{0, change_rule::fraction_cut}, 2}};
  EXPECT_EQ(log.batches[0]->changes, expected);
}

TEST(channel_core, columns_that_the_destination_does_not_take_are_left_out_on_the_way) {
  const auto whole = text_to_number();
  const auto last = std::make_shared<const schema>(schema{(*whole->target)[1]});
  const auto map = make_mapping(job{}, whole->source, last, {}, {}, {0});
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_FALSE((*map)->passes());
  EXPECT_EQ((*map)->lines,
            (std::vector<std::string>{"column 0 \"n\" of the reader is left out: the destination "
                                      "computes it itself"}));
  EXPECT_TRUE(columns_in_own_bytes(**map, {true}).empty());
  auto b = texts({{"no number", "a"}, {"2", "b"}});
  b->changed_as_read = {{0, 0, change_rule::time_cut}, {1, 1, change_rule::time_cut}};
  const auto parts = convert_batch(*b, **map, buffer_pool::make(1 << 20), 64 << 10);
  ASSERT_EQ(parts.size(), 1u);
  ASSERT_EQ(parts[0].b->columns.size(), 1u);
  EXPECT_EQ(parts[0].b->rows, 2u) << "what is left out makes no record dirty";
  EXPECT_EQ(parts[0].b->columns[0].get_bytes(1), "b");
  const change_counts expected = {{{0, change_rule::time_cut}, 1}};
  EXPECT_EQ(parts[0].b->changes, expected) << "of the column that is written";
}

TEST(channel_core, what_the_reader_has_changed_is_counted_where_its_row_goes_on) {
  auto b = texts({{"1", "a"}, {"x", "b"}, {"3", "c"}});
  b->changed_as_read = {
      {0, 1, change_rule::time_cut}, {1, 1, change_rule::time_cut}, {2, 1, change_rule::carried_over}};
  const auto parts = convert_batch(*b, *text_to_number(), buffer_pool::make(1 << 20), 64 << 10);
  ASSERT_EQ(parts.size(), 1u);
  const change_counts expected = {{{1, change_rule::time_cut}, 1}, {{1, change_rule::carried_over}, 1}};
  EXPECT_EQ(parts[0].b->changes, expected) << "the row with x is dirty";
  EXPECT_TRUE(parts[0].b->changed_as_read.empty());

  auto as_it_is = numbers(0, 3, 1, epoch);
  as_it_is->changed_as_read = {{2, 0, change_rule::fraction_cut}};
  const auto passed = convert_batch(*as_it_is, *untouched(), buffer_pool::make(1 << 20), 64 << 10);
  const change_counts one = {{{0, change_rule::fraction_cut}, 1}};
  EXPECT_EQ(passed[0].b->changes, one);
  EXPECT_TRUE(passed[0].b->changed_as_read.empty());
}

TEST(channel_core, what_datax_may_change_in_a_column_is_listed_for_the_reader_too) {
  field whole = {.name = "n", .type = type_of(type_id::int64)};
  const field real = {.name = "n", .type = type_of(type_id::float64)};
  EXPECT_EQ(rules_text(datax_changes(whole, real)), "rounded");
  EXPECT_EQ(rules_text(datax_changes(whole, whole)), "");
  whole.changed_as_read = {change_rule::fraction_cut};
  EXPECT_EQ(rules_text(datax_changes(whole, real)), "fraction_cut, rounded");
  job what;
  what.compat = compat_mode::datax;
  const auto columns = std::make_shared<const schema>(schema{whole});
  const auto map = make_mapping(what, columns, std::make_shared<const schema>(schema{real}), {});
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_EQ((*map)->lines.at(0),
            "column 0 \"n\" int64 to \"n\" float64: as DataX does it, counted: fraction_cut, rounded");
  const auto same = make_mapping(what, columns, columns, {});
  ASSERT_TRUE(same) << same.error().message;
  EXPECT_TRUE((*same)->passes());
  EXPECT_EQ((*same)->lines.at(0),
            "column 0 \"n\" int64 to \"n\" int64: as DataX does it, counted: fraction_cut");
}

TEST(channel_core, the_bytes_of_filtered_records_and_the_time_of_transformers_are_told) {
  channel_log log;
  const auto map = text_to_number({{"dx_filter", 1, {"=", "drop"}, "t.json"}});
  std::chrono::steady_clock::time_point now{};
  channel_core core(config_of(map), log, [&] { return now += std::chrono::milliseconds(3); });
  core.rewind(begin());
  core.take(texts({{"1", "drop"}, {"22", "drop"}, {"333", "keep"}, {"x", "keep"}}));
  ASSERT_EQ(log.batches.size(), 1u);
  EXPECT_EQ(log.batches[0]->filtered, 2u);
  EXPECT_EQ(log.batches[0]->filtered_bytes, 1u + 4 + 2 + 4);
  EXPECT_EQ(log.batches[0]->dirty.size(), 1u);
  EXPECT_EQ(core.transforming(), std::chrono::milliseconds(3)) << "one chunk, from clock to clock";
  EXPECT_EQ(core.transformed(), 4u) << "two filtered, one passed, and one that the conversion refuses later";
}

TEST(channel_core, the_parts_of_a_batch_add_up_and_only_the_last_may_carry_a_mark) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 5000; ++i) {
    rows.emplace_back(i % 7 == 0 ? "bad" : std::to_string(i), std::string(100, 'f'));
  }
  auto whole = texts(rows, 1000);
  dirty_record from_reader;
  from_reader.position = 1000 + 5000;
  whole->dirty.push_back(from_reader);
  whole->records_read = 5001;
  const auto parts = convert_batch(*whole, *text_to_number(), buffer_pool::make(1 << 20), 64 << 10);
  ASSERT_GT(parts.size(), 3u);
  std::uint64_t read = 0;
  std::uint64_t written = 0;
  std::uint64_t dirty = 0;
  std::uint64_t next = 0;
  row_sum read_sum;
  for (const converted_part& made : parts) {
    const auto& p = made.b;
    read += p->records_read;
    written += p->rows;
    dirty += p->dirty.size();
    read_sum += p->read_sum;
    EXPECT_EQ(p->records_read, p->rows + p->dirty.size());
    EXPECT_EQ(p->after.has_value(), p == parts.back().b);
    EXPECT_EQ(p->split_end, p == parts.back().b);
    EXPECT_LE(p->bytes_held(), 2 * (64u << 10));
    for (const auto& d : p->dirty) {
      EXPECT_GE(d.position, next);
      next = d.position + 1;
    }
    for (std::uint32_t row = 0; row < p->rows; ++row) {
      EXPECT_EQ(p->columns[0].get<std::int64_t>(row) + 1000, static_cast<std::int64_t>(p->position_of(row)));
    }
  }
  EXPECT_EQ(read, 5001u);
  EXPECT_EQ(written + dirty, 5001u);
  EXPECT_EQ(read_sum, whole->read_sum);
}

TEST(channel_core, a_throttled_batch_waits_for_its_ticket_and_an_old_ticket_lets_nothing_pass) {
  channel_log log;
  channel_core core(config_of(untouched(), true), log);
  core.rewind(begin());
  core.take(numbers(0, 10, 1, epoch));
  ASSERT_EQ(log.tickets.size(), 1u);
  EXPECT_TRUE(log.batches.empty());
  EXPECT_TRUE(core.waits_for_throttle());
  core.throttle_passed(log.tickets[0] - 1);
  EXPECT_TRUE(log.batches.empty());
  core.throttle_passed(log.tickets[0]);
  EXPECT_EQ(log.batches.size(), 1u);
}

TEST(channel_core, a_mapping_of_different_counts_is_refused_with_both_lists) {
  const auto two = text_to_number()->source;
  const auto r = make_mapping(job{}, two, one_number(), conversion_context{});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, error_kind::bad_option);
  EXPECT_NE(r.error().message.find("the reader has 2 columns (n utf8, f utf8), the writer 1 (n int64)"),
            std::string::npos)
      << r.error().message;
}

}  // namespace
}  // namespace sluice
