#include "actors/pipeline/dirty_line.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/source_dir.h"

namespace sluice {
namespace {

using nlohmann::json;

constexpr std::string_view time = "2026-11-23T19:05:06.007+00:00";

run_id some_run() {
  return *run_id::parse("0190b3c4-5d6e-7f80-9a1b-2c3d4e5f6071");
}

std::string line_of(const dirty_record& record, std::string_view job = "orders") {
  std::string out;
  append_dirty_line(dirty_line_run_members(some_run(), job), {3}, time, record, out);
  return out;
}

dirty_record bad_amount() {
  dirty_record r;
  r.position = 17;
  r.side = dirty_side::reader;
  r.source = "/data/orders.csv";
  r.line = 21;
  r.byte_offset = 1042;
  r.column = "amount";
  r.value = "12,5x";
  r.target_type = "decimal(10,2)";
  r.code = "not_a_number";
  r.message = R"("12,5x" is not a number.)";
  r.record = {{"id", "int64", "18"}, {"amount", "decimal(10,2)", "12,5x"}, {"note", "utf8", std::nullopt}};
  r.record_bytes = 7;
  return r;
}

dirty_record refused_by_writer() {
  dirty_record r;
  r.position = 18446744073709551615ULL;
  r.side = dirty_side::writer;
  r.source = "orders";
  r.key = "id=5";
  r.code = "SQLITE_CONSTRAINT_UNIQUE";
  r.message = "UNIQUE constraint failed: orders.id.";
  r.record = {
      {"id", "int64", "5"}, {"name", "utf8", "Jürgen \"J\"\nMüller\t\\ \x01\x7F 😀"}, {"", "utf8", ""}};
  r.record_bytes = 40;
  return r;
}

dirty_record not_utf8() {
  dirty_record r;
  r.position = 2;
  r.side = dirty_side::channel;
  r.source = "caf\xE9.csv";
  r.line = 3;
  r.byte_offset = 0;
  r.column = "name";
  r.value = "caf\xE9";
  r.target_type = "utf8";
  r.code = "invalid_utf8";
  r.message = "\"caf\\xe9\" is not UTF-8.";
  r.record = {{"name", "utf8", "caf\xE9"}};
  r.record_bytes = 4;
  return r;
}

// The form is a promise to programs of others: a change here is a new version or a mistake.
TEST(dirty_line, is_what_the_golden_file_says) {
  std::ifstream golden(testing::in_source_tree("tests/data/dirty-records.golden.jsonl"));
  std::stringstream expected;
  expected << golden.rdbuf();
  EXPECT_EQ(line_of(bad_amount()) + line_of(refused_by_writer()) + line_of(not_utf8(), "Aufträge\n"),
            expected.str());
}

TEST(dirty_line, keeps_every_text_that_is_utf8) {
  const json line = json::parse(line_of(refused_by_writer()));
  EXPECT_EQ(line["record"][1]["text"], "Jürgen \"J\"\nMüller\t\\ \x01\x7F 😀");
  EXPECT_EQ(line["record"][2]["text"], "");
  EXPECT_EQ(line["position"], 18446744073709551615ULL);
  EXPECT_TRUE(line["value"].is_null());
  EXPECT_TRUE(line["line"].is_null());
}

TEST(dirty_line, tells_null_from_empty) {
  dirty_record r = bad_amount();
  r.value = "";
  EXPECT_EQ(json::parse(line_of(r))["value"], "");
  r.value = std::nullopt;
  EXPECT_TRUE(json::parse(line_of(r))["value"].is_null());
  EXPECT_TRUE(json::parse(line_of(r))["record"][2]["text"].is_null());
}

TEST(dirty_line, keeps_bytes_that_are_not_utf8_as_base64) {
  // Values from RFC 4648 section 10, made invalid as UTF-8 by a leading byte FF.
  const std::vector<std::pair<std::string, std::string>> cases = {{"\xFF", "/w=="},
                                                                  {"\xFF\xFE", "//4="},
                                                                  {"\xFF\xFE\xFD", "//79"},
                                                                  {"\xFF"
                                                                   "foobar",
                                                                   "/2Zvb2Jhcg=="}};
  for (const auto& [bytes, base64] : cases) {
    dirty_record r = bad_amount();
    r.value = bytes;
    EXPECT_EQ(json::parse(line_of(r))["value"], json({{"base64", base64}}));
  }
}

TEST(dirty_line, has_no_newline_inside_whatever_the_record_holds) {
  dirty_record r = bad_amount();
  std::string every_byte;
  for (int c = 0; c < 128; ++c) {
    every_byte += static_cast<char>(c);
  }
  r.value = every_byte;
  r.key = every_byte;
  const std::string line = line_of(r);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.find('\0'), std::string::npos);
  EXPECT_EQ(json::parse(line)["value"], every_byte);
}

TEST(dirty_line, cuts_a_record_over_the_limit_to_its_first_64_KiB) {
  dirty_record r = bad_amount();
  r.column = "";
  r.value = std::nullopt;
  const std::string long_text(dirty_text_max, 'x');
  r.record = {{"a", "utf8", "first"}, {"b", "utf8", long_text}, {"c", "utf8", "last"}};
  r.record_bytes = long_text.size() + 9;
  const json line = json::parse(line_of(r));
  EXPECT_EQ(line["cut"], true);
  EXPECT_EQ(line["record_bytes"], long_text.size() + 9);
  EXPECT_EQ(line["byte_offset"], 1042);
  ASSERT_EQ(line["record"].size(), 2U);
  EXPECT_EQ(line["record"][0]["text"], "first");
  EXPECT_EQ(line["record"][1]["text"].get<std::string>().size(), dirty_text_kept - 5);
}

TEST(dirty_line, keeps_a_record_of_just_the_limit_whole) {
  dirty_record r = bad_amount();
  r.value = std::nullopt;
  r.record = {{"a", "utf8", std::string(dirty_text_max, 'x')}};
  const json line = json::parse(line_of(r));
  EXPECT_EQ(line["cut"], false);
  EXPECT_EQ(line["record"][0]["text"].get<std::string>().size(), dirty_text_max);
}

TEST(dirty_line, cuts_on_the_border_of_a_character) {
  for (const std::string_view character : {"é", "€", "😀"}) {
    for (std::size_t before = 0; before < 4; ++before) {
      dirty_record r = bad_amount();
      std::string text(before, '.');
      while (text.size() <= dirty_text_max) {
        text += character;
      }
      r.value = text;
      r.record = {{"a", "utf8", text}};
      const json line = json::parse(line_of(r));
      for (const json& kept : {line["value"], line["record"][0]["text"]}) {
        ASSERT_TRUE(kept.is_string());
        const auto kept_text = kept.get<std::string>();
        EXPECT_GT(kept_text.size(), dirty_text_kept - character.size());
        EXPECT_LE(kept_text.size(), dirty_text_kept);
        EXPECT_TRUE(text.starts_with(kept_text));
      }
    }
  }
}

TEST(dirty_line, says_cut_where_an_actor_has_cut_before) {
  dirty_record r = bad_amount();
  r.cut = true;
  EXPECT_EQ(json::parse(line_of(r))["cut"], true);
}

TEST(dirty_line, gives_its_head_back) {
  for (const dirty_record& record : {bad_amount(), refused_by_writer(), not_utf8()}) {
    const std::string line = line_of(record).substr(0, dirty_line_head_max);  // the head points into it
    const auto head = parse_dirty_line_head(line);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->version, dirty_line_version);
    EXPECT_EQ(head->split.value, 3U);
    EXPECT_EQ(head->position, record.position);
    EXPECT_EQ(head->code, record.code);
  }
}

TEST(dirty_line, has_no_code_in_a_head_that_lacks_it_or_does_not_hold_all_of_it) {
  for (const std::string_view text : {R"({"version":1,"split":3,"position":17,"run":"x","code":"bad",)",
                                      R"({"version":1,"split":3,"position":17,"code":"ba)",
                                      R"({"version":1,"split":3,"position":17,"code":"b\u0001",)",
                                      R"({"version":1,"split":3,"position":17,"code":{"base64":"x"},)"}) {
    const auto head = parse_dirty_line_head(text);
    ASSERT_TRUE(head) << text;
    EXPECT_EQ(head->code, "") << text;
  }
}

TEST(dirty_line, finds_no_head_in_anything_else) {
  for (const std::string_view text :
       {"", "{", "{}", R"({"version":1,"split":3,"position":)", R"({"version":1,"split":3,"position":17)",
        R"({"version":1,"split":4294967296,"position":1,)", R"({"version":1,"split":-1,"position":1,)",
        R"({"version":1,"position":1,"split":3,)", R"( {"version":1,"split":3,"position":17,)"}) {
    EXPECT_FALSE(parse_dirty_line_head(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
