#include "transport/wire/codec.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>

#include "tests/support/source_dir.h"
#include "tests/unit/record/random_batch.h"

namespace sluice {
namespace {

const std::shared_ptr<buffer_pool>& pool() {
  static const auto one = buffer_pool::make(8 << 20);
  return one;
}

/// A frame in a block of just its size, so that the address sanitizer sees whoever reads behind it.
buffer exact(std::string_view bytes) {
  const std::shared_ptr<void> block(std::malloc(bytes.size()), &std::free);
  if (!bytes.empty()) {
    std::memcpy(block.get(), bytes.data(), bytes.size());
  }
  return {static_cast<const std::byte*>(block.get()), bytes.size(), block};
}

std::string text_of(const buffer& b) {
  return {b.as<char>(), b.size()};
}

dirty_record a_dirty_record(std::uint64_t position) {
  dirty_record d;
  d.position = position;
  d.side = dirty_side::channel;
  d.source = "/data/a.csv";
  d.line = 7;
  d.byte_offset = 4096;
  d.column = "amount";
  d.value = "12,5";
  d.target_type = "decimal(10,2)";
  d.code = "not_a_number";
  d.message = "\"12,5\" is not a number.";
  d.record = {{"id", "int64", "1"}, {"amount", "utf8", "12,5"}, {"note", "utf8", std::nullopt}};
  d.record_bytes = 12;
  d.sum = {uint128{1} << 100 | 5};
  return d;
}

/// One of each control message, every member with a value of its own.
std::vector<std::pair<std::string, control_message>> control_messages() {
  const split_index split{3};
  const epoch_number epoch = epoch_number::make(1, 2, 3);
  const cursor at = {{"at", {std::int64_t{-5}}},
                     {"key", {~std::uint64_t{0}}},
                     {"text", {std::string("Grüße")}},
                     {"null", {std::monostate{}}},
                     {"yes", {true}},
                     {"half", {-0.0}},
                     {"raw", {scalar::bytes{"\xff"}}}};
  return {
      {"rewind", rewind_msg{split, {{"path", {std::string("a.csv")}}}, epoch, at, 77, 1 << 20}},
      {"rewind_to_start", rewind_msg{split, {}, epoch, std::nullopt, 0, 1}},
      {"credit", credit_msg{split, epoch, std::uint64_t{1} << 40}},
      {"sent", sent_msg{split, epoch, 9, true}},
      {"dirty_report", dirty_report{split, epoch, 4, 100, {a_dirty_record(5), a_dirty_record(6)}}},
      {"dirty_sync", dirty_sync{split, epoch, 4}},
      {"dirty_commit", dirty_commit{split, epoch, 1000, 2}},
      {"dirty_drop", dirty_drop{split, epoch, 1000, {10, 6, 1, 2, 1, 12345, 99, 45}}},
      {"dirty_synced", dirty_synced{split, epoch, 4}},
      {"dirty_dropped", dirty_dropped{split, epoch}},
  };
}

schema_ptr schema_of_every_type() {
  schema s;
  for (const data_type& type : test::every_type()) {
    s.push_back({.name = to_string(type), .type = type});
  }
  return std::make_shared<const schema>(std::move(s));
}

/// The same batch in every run of the test: for golden files.
std::shared_ptr<batch> golden_batch() {
  const auto columns = std::make_shared<const schema>(
      schema{{.name = "id", .type = type_of(type_id::int64)},
             {.name = "amount", .type = decimal_type(10, 2)},
             {.name = "name", .type = type_of(type_id::utf8)},
             {.name = "yes", .type = type_of(type_id::boolean)},
             {.name = "day", .type = type_of(type_id::date)},
             {.name = "at", .type = time_type(type_id::timestamp, time_unit::milli)}});
  batch_builder builder(columns, pool(), {});
  builder.begin_places("/data/a.csv", 100, 2);
  for (int i = 0; i < 3; ++i) {
    builder.at(0).append(std::int64_t{i});
    builder.at(1).append(int128{i * 150});
    i == 1 ? builder.at(2).append_null() : builder.at(2).append_bytes("Grüße");
    builder.at(3).append_bool(i != 1);
    builder.at(4).append(std::int32_t{19000 + i});
    builder.at(5).append(std::int64_t{1700000000123});
    builder.place_row(static_cast<std::uint32_t>(40 * i), static_cast<std::uint32_t>(2 * i));
    builder.commit_row();
    if (i == 1) {
      builder.refuse(a_dirty_record(0), "raw");
    }
  }
  builder.set_cursor({{"at", {std::int64_t{220}}}});
  auto b = builder.seal(1000);
  b->run = run_id::parse("0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071").value();
  b->split = {3};
  b->epoch = epoch_number::make(1, 2, 3);
  b->sequence = 5;
  b->filtered_bytes = 17;
  b->changes = {{{1, change_rule::rounded}, 2}, {{4, change_rule::time_cut}, 1}};
  b->split_end = true;
  return b;
}

// ---- golden files ----------------------------------------------------------------------------------------

/// Compares with the file, or writes it where SLUICE_WRITE_GOLDEN is set (a new version of the wire).
void expect_file(const std::string& name, const std::string& content) {
  const std::string path = testing::in_source_tree(name);
  if (std::getenv("SLUICE_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << content;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(golden.str(), content) << path;
}

/// The golden file, and the fuzzer's seed: the same behind the byte that chooses its schema.
void expect_golden(const std::string& name, const buffer& frame) {
  expect_file("tests/data/wire/" + name + ".bin", text_of(frame));
  expect_file("tests/fuzz/corpus/wire/" + name, "\x0e" + text_of(frame));
}

TEST(wire, frames_are_those_of_the_golden_files) {
  const auto b = golden_batch();
  const auto frame = encode(*b, pool());
  ASSERT_TRUE(frame.has_value());
  expect_golden("batch", *frame);
  for (const auto& [name, message] : control_messages()) {
    expect_golden(name, encode(message, pool()).value());
  }
}

// ---- round trips -----------------------------------------------------------------------------------------

TEST(wire, brings_every_control_message_across_whole) {
  for (const auto& [name, message] : control_messages()) {
    SCOPED_TRACE(name);
    const buffer frame = encode(message, pool()).value();
    const auto kind = kind_of(frame);
    ASSERT_TRUE(kind.has_value());
    EXPECT_EQ(static_cast<std::size_t>(*kind), message.index() + 2);
    const auto back = decode_control(exact(text_of(frame)));
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_TRUE(*back == message);
  }
}

TEST(wire, brings_random_batches_of_every_type_across_whole) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    test::random_source random(seed);
    const auto columns = seed % 5 == 0 ? schema_of_every_type() : random.columns(random.below(8));
    const auto records = static_cast<std::uint32_t>(seed % 7 == 0 ? random.below(3) : random.below(400));
    const auto b = test::random_batch(random, columns, records, pool());
    const auto frame = encode(*b, pool());
    ASSERT_TRUE(frame.has_value()) << frame.error().message;
    EXPECT_EQ(kind_of(*frame).value(), message_kind::batch);
    const auto back = decode_batch(exact(text_of(*frame)), columns);
    ASSERT_TRUE(back.has_value()) << back.error().message;
    test::expect_equal(*b, **back);
    EXPECT_EQ(b->bytes_held(), (*back)->bytes_held());
  }
}

TEST(wire, lays_buffers_at_multiples_of_64_and_uses_them_where_they_lie) {
  test::random_source random(5);
  const auto columns = schema_of_every_type();
  const auto b = test::random_batch(random, columns, 100, pool());
  buffer frame = encode(*b, pool()).value();
  const std::byte* const begin = frame.data();
  const std::byte* const end = begin + frame.size();
  const auto back = decode_batch(frame, columns).value();
  frame = {};  // the batch alone keeps it alive
  for (const column& c : back->columns) {
    for (const buffer* part : {&c.validity, &c.offsets, &c.values}) {
      if (!part->empty()) {
        EXPECT_TRUE(part->data() > begin && part->data() + part->size() <= end);
        EXPECT_EQ((part->data() - begin) % 64, 0);
      }
    }
  }
  test::expect_equal(*b, *back);
}

TEST(wire, brings_a_record_of_64_mb_across) {
  const auto columns = std::make_shared<const schema>(schema{{.name = "x", .type = type_of(type_id::utf8)}});
  batch_builder builder(columns, pool(), {});
  builder.at(0).append_bytes(std::string(std::size_t{64} << 20, 'x'));
  builder.commit_row();
  const auto b = builder.seal(0);
  const auto back = decode_batch(encode(*b, pool()).value(), columns);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ((*back)->columns[0].get_bytes(0).size(), std::size_t{64} << 20);
  EXPECT_TRUE((*back)->rows_sum == b->rows_sum);
}

// ---- wrong frames ----------------------------------------------------------------------------------------

TEST(wire, refuses_another_version_with_what_to_do) {
  std::string frame = text_of(encode(*golden_batch(), pool()).value());
  frame[1] = 9;
  for (const auto& failure : {kind_of(exact(frame)).error(), decode_control(exact(frame)).error(),
                              decode_batch(exact(frame), golden_batch()->columns_schema).error()}) {
    EXPECT_EQ(failure.kind, error_kind::not_supported);
    EXPECT_EQ(
        failure.message,
        "The other end speaks version 9 of the wire, this one 3. Run the same version of sluice on both.");
  }
  // Whatever another version puts behind its number, it is told from a damaged frame.
  EXPECT_EQ(kind_of(exact("\x94\x07\x81\xa1x\xc0")).error().kind, error_kind::not_supported);
}

TEST(wire, refuses_a_frame_cut_short_anywhere) {
  const auto b = golden_batch();
  const std::string frame = text_of(encode(*b, pool()).value());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const auto back = decode_batch(exact(frame.substr(0, size)), b->columns_schema);
    ASSERT_FALSE(back.has_value()) << size;
    EXPECT_EQ(back.error().kind, error_kind::not_connected);
  }
  EXPECT_FALSE(decode_batch(exact(frame + '\0'), b->columns_schema).has_value());
  for (const auto& [name, message] : control_messages()) {
    const std::string control = text_of(encode(message, pool()).value());
    for (std::size_t size = 0; size < control.size(); ++size) {
      ASSERT_FALSE(decode_control(exact(control.substr(0, size))).has_value()) << name << ' ' << size;
    }
  }
}

TEST(wire, survives_any_changed_byte) {
  const auto b = golden_batch();
  const std::string frame = text_of(encode(*b, pool()).value());
  for (std::size_t at = 0; at < frame.size(); ++at) {
    for (const unsigned flip : {1U, 0x80U, 0xFFU}) {
      std::string changed = frame;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ flip);
      if (const auto back = decode_batch(exact(changed), b->columns_schema)) {
        for (std::uint32_t row = 0; row < (*back)->rows; ++row) {
          EXPECT_NO_FATAL_FAILURE(dirty_from_row(**back, row, dirty_side::writer));
        }
      }
    }
  }
}

TEST(wire, refuses_a_batch_for_another_schema) {
  const auto b = golden_batch();
  const buffer frame = encode(*b, pool()).value();
  schema fewer(b->columns_schema->begin(), b->columns_schema->end() - 1);
  schema other = *b->columns_schema;
  other[0].type = type_of(type_id::utf8);
  schema narrower = *b->columns_schema;
  narrower[5].type = type_of(type_id::date);
  for (const schema& s : {schema{}, fewer, other, narrower}) {
    const auto back = decode_batch(frame, std::make_shared<const schema>(s));
    ASSERT_FALSE(back.has_value());
    EXPECT_EQ(back.error().code, "bad_frame");
  }
}

TEST(wire, refuses_a_control_message_where_a_batch_is_due_and_the_other_way_round) {
  EXPECT_FALSE(decode_control(encode(*golden_batch(), pool()).value()).has_value());
  EXPECT_FALSE(
      decode_batch(encode(control_messages()[0].second, pool()).value(), golden_batch()->columns_schema)
          .has_value());
}

/// A change to a good batch that the encoder does not notice, and the decoder must.
struct lie {
  std::string name;
  std::function<void(batch&)> tell;
  std::string reason;
};

buffer bytes_of(std::initializer_list<std::int32_t> numbers) {
  growing_buffer out(pool());
  for (const std::int32_t n : numbers) {
    out.push(n);
  }
  return out.seal();
}

buffer text_buffer(std::string_view text) {
  growing_buffer out(pool());
  out.append(text.data(), text.size());
  return out.seal();
}

TEST(wire, refuses_columns_that_would_be_read_out_of_bounds) {
  const std::vector<lie> lies = {
      {"more rows", [](batch& b) { b.rows = 4; }, "not one a row"},
      {"rows beyond reason", [](batch& b) { b.rows = 1U << 30; }, "at most 16777216"},
      {"no NULL, but a bitmap", [](batch& b) { b.columns[2].null_count = 0; }, "bitmap"},
      {"more NULLs than bits", [](batch& b) { b.columns[2].null_count = 2; }, "number of NULLs"},
      {"more NULLs than rows", [](batch& b) { b.columns[2].null_count = 9; }, "at most 3"},
      {"bitmap too long", [](batch& b) { b.columns[2].validity = text_buffer("\x05\x05"); }, "bitmap"},
      {"values too short", [](batch& b) { b.columns[0].values = b.columns[0].values.slice(0, 16); },
       "another length"},
      {"booleans too long", [](batch& b) { b.columns[3].values = text_buffer("ab"); }, "another length"},
      {"offsets where none belong",
       [](batch& b) {
         b.columns[0].offsets = bytes_of({0, 0, 0, 0});
       },
       "another length"},
      {"an offset too few",
       [](batch& b) {
         b.columns[2].offsets = bytes_of({0, 7, 14});
       },
       "number of offsets"},
      {"offsets that fall",
       [](batch& b) {
         b.columns[2].offsets = bytes_of({0, 9, 7, 14});
       },
       "leave its values"},
      {"offsets below 0",
       [](batch& b) {
         b.columns[2].offsets = bytes_of({-1, 7, 7, 14});
       },
       "leave its values"},
      {"offsets behind the end",
       [](batch& b) {
         b.columns[2].offsets = bytes_of({0, 7, 7, 15});
       },
       "leave its values"},
      {"offsets short of the end",
       [](batch& b) {
         b.columns[2].offsets = bytes_of({0, 7, 7, 13});
       },
       "leave its values"},
      {"a NULL with text",
       [](batch& b) {
         b.columns[2].offsets = bytes_of({0, 1, 7, 14});
       },
       "NULL with text"},
      {"no UTF-8",
       [](batch& b) {
         b.columns[2].values = text_buffer(
             "Gr\xff\xff"
             "aaaaaaaaaa");
       },
       "UTF-8"},
      {"a character cut in two",
       [](batch& b) {
         b.columns[2].offsets = bytes_of({0, 3, 3, 14});
       },
       "UTF-8"},
      {"positions too few",
       [](batch& b) {
         b.position_deltas = bytes_of({0, 1});
       },
       "not one a row"},
      {"positions that fall",
       [](batch& b) {
         b.position_deltas = bytes_of({0, 3, 1});
       },
       "do not increase"},
      {"byte offsets that fall",
       [](batch& b) {
         b.places->byte_deltas = bytes_of({5, 3, 7});
       },
       "do not increase"},
      {"lines too many",
       [](batch& b) {
         b.places->line_deltas = bytes_of({0, 1, 2, 3});
       },
       "not one a row"},
      {"an unknown side", [](batch& b) { b.dirty[0].side = static_cast<dirty_side>(4); }, "side"},
      {"no side", [](batch& b) { b.dirty[0].side = static_cast<dirty_side>(0); }, "side"},
      {"dirty records out of order",
       [](batch& b) {
         b.dirty.push_back(b.dirty[0]);
         b.dirty[1].position = 0;
       },
       "order"},
      {"a cursor too long", [](batch& b) { b.after = cursor(65); }, "at most 64"},
      {"a scalar too long",
       [](batch& b) {
         b.after = cursor{{"x", {std::string(65537, 'x')}}};
       },
       "at most 65536"},
      {"a cursor that is no UTF-8",
       [](batch& b) {
         b.after = cursor{{"\xff", {true}}};
       },
       "UTF-8"},
      {"a source too long", [](batch& b) { b.places->source.assign(65537, 'x'); }, "at most 65536"},
      {"keys that are not one a row",
       [](batch& b) {
         b.places->keys = bytes_of({1, 2, 3});
       },
       "the keys are not one a row"},
      {"changes by no rule",
       [](batch& b) {
         b.changes = {{{0, static_cast<change_rule>(change_rules.size())}, 1}};
       },
       "a rule of changes"},
  };
  for (const lie& l : lies) {
    SCOPED_TRACE(l.name);
    const auto b = golden_batch();
    l.tell(*b);
    const auto frame = encode(*b, pool());
    ASSERT_TRUE(frame.has_value());
    const auto back = decode_batch(exact(text_of(*frame)), b->columns_schema);
    ASSERT_FALSE(back.has_value());
    EXPECT_EQ(back.error().kind, error_kind::not_connected);
    EXPECT_NE(back.error().message.find(l.reason), std::string::npos) << back.error().message;
  }
}

TEST(wire, refuses_nests_maps_texts_and_floats) {
  const std::string deep = "\x94\x03\x02" + std::string(20, '\x91') + "\xc0";
  for (const std::string& frame :
       {std::string(), std::string("\xc0"), std::string("\x93\x03\x02\xc0"),
        std::string("\x94\xff\x02\xc0\xc0"), deep, std::string("\x94\x03\x02\x80\xc4\x00", 6),
        std::string("\x94\x03\x02\xa1x\xc4\x00", 7), std::string("\x94\x03\x02\xdd\xff\xff\xff\xff"),
        std::string("\x94\x03\x02\xca\x00\x00\x00\x00\xc4\x00", 10)}) {
    const auto back = decode_control(exact(frame));
    ASSERT_FALSE(back.has_value());
    EXPECT_EQ(back.error().code, "bad_frame") << back.error().message;
  }
}

TEST(wire, refuses_an_unknown_kind) {
  std::string frame = text_of(encode(control_messages()[2].second, pool()).value());
  for (const char kind : {'\x00', '\x0b', '\x7f'}) {
    frame[2] = kind;
    EXPECT_FALSE(kind_of(exact(frame)).has_value());
    EXPECT_FALSE(decode_control(exact(frame)).has_value());
  }
}

TEST(wire, sends_no_batch_that_could_not_be_received) {
  const auto b = golden_batch();
  b->dirty.assign(200'000, b->dirty[0]);
  const auto frame = encode(*b, pool());
  ASSERT_FALSE(frame.has_value());
  EXPECT_EQ(frame.error().kind, error_kind::internal);
}

}  // namespace
}  // namespace sluice
