#include <gmock/gmock.h>

#include <map>
#include <set>

#include "plugins/stream/stream_plugin.h"
#include "tests/conformance/plugin_fixture.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using testing::context_for_test;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Lt;
using testing::open_source;
using testing::options_of;
using testing::read_split;
using testing::rows_of;
using ::testing::SizeIs;

std::vector<std::string> rows(std::string_view parameter, std::uint32_t advice = 1, std::uint8_t run = 1) {
  auto opened = open_source(stream_plugin(), parameter, advice, context_for_test(run));
  std::vector<std::string> all;
  for (const split& s : opened.splits) {
    const auto reader = opened.object->make_reader();
    for (std::string& row : rows_of(read_split(**reader, opened.description, s, {}))) {
      all.push_back(std::move(row));
    }
  }
  return all;
}

error failure(std::string_view parameter) {
  const plugin p = stream_plugin();
  const auto made = p.make_source(options_of(*p.reads, parameter), context_for_test());
  EXPECT_FALSE(made);
  return made ? error{} : made.error();
}

/// The one column's values of many records.
std::vector<std::string> column_of(std::string_view column, int records = 2000) {
  return rows(fmt::format(R"({{"column":[{}],"sliceRecordCount":{}}})", column, records));
}

std::vector<std::size_t> lengths(const std::vector<std::string>& texts) {
  std::vector<std::size_t> found;
  for (const std::string& text : texts) {
    found.push_back(text.size());
  }
  return found;
}

TEST(StreamSource, ConstantsOfEveryTypeAreTakenExactly) {
  EXPECT_THAT(
      rows(R"({"column":[
                {"type":"string","value":"a,ü"}, {"value":""}, {"type":"LONG","value":"-9223372036854775808"},
                {"type":"long","value":7}, {"type":"double","value":"0.1"}, {"type":"bool","value":true},
                {"type":"bytes","value":"ab"}, {"type":"string","value":null},
                {"type":"date","value":"2014-07-07 01:02:03"},
                {"type":"date","value":"07/2014/08","dateFormat":"MM/yyyy/dd"}],
              "sliceRecordCount":"3"})"),
      AllOf(SizeIs(3), Each("a,ü||-9223372036854775808|7|0.1|true|YWI=|<null>|2014-07-07T01:02:03.000|"
                            "2014-07-08T00:00:00.000")));
}

TEST(StreamSource, AValueWinsOverRandom) {
  EXPECT_THAT(column_of(R"({"type":"long","value":"5","random":"1,9"})", 20), Each("5"));
}

TEST(StreamSource, RandomTextsHaveTheLengthsAskedForAndAreAlphanumeric) {
  for (const char* type : {"string"}) {
    const auto texts = column_of(fmt::format(R"({{"type":"{}","random":"0,20"}})", type));
    EXPECT_THAT(lengths(texts), Each(Le(20)));
    const auto found = lengths(texts);
    EXPECT_EQ(std::set(found.begin(), found.end()).size(), 21U) << "all lengths occur, both ends included";
    std::map<char, int> characters;
    for (const std::string& text : texts) {
      for (const char c : text) {
        ++characters[c];
      }
    }
    EXPECT_EQ(characters.size(), 62U);
    for (const auto& [c, count] : characters) {
      EXPECT_TRUE((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) << c;
      EXPECT_GT(count, 200) << c;  // 20,000 characters in all, 322 expected of each
    }
  }
}

TEST(StreamSource, RandomNumbersFillTheirRangeBothEndsIncluded) {
  const auto longs = column_of(R"({"type":"long","random":" 3 , 6 "})");
  EXPECT_EQ(std::set(longs.begin(), longs.end()), (std::set<std::string>{"3", "4", "5", "6"}));
  std::vector<double> doubles;
  for (const std::string& text : column_of(R"({"type":"double","random":"2,3"})")) {
    doubles.push_back(std::stod(text));
  }
  EXPECT_THAT(doubles, Each(AllOf(Ge(2.0), Lt(4.0))));
  EXPECT_GT(*std::max_element(doubles.begin(), doubles.end()), 3.9);
  EXPECT_LT(*std::min_element(doubles.begin(), doubles.end()), 2.1);
  EXPECT_THAT(column_of(R"({"type":"long","random":"0,9223372036854775807"})", 50),
              Each(::testing::Not("0")));
}

TEST(StreamSource, RandomDatesStandBetweenTheirEnds) {
  const auto dates =
      column_of(R"({"type":"date","random":"2024-01-01,2024-01-02","dateFormat":"yyyy-MM-dd"})");
  EXPECT_THAT(dates, Each(AllOf(Ge("2024-01-01T00:00:00.000"), Le("2024-01-02T00:00:00.000"))));
  EXPECT_GT(std::set(dates.begin(), dates.end()).size(), 1900U);
}

TEST(StreamSource, RandomBooleansKeepTheirParts) {
  const auto count = [](const std::vector<std::string>& values) {
    return std::count(values.begin(), values.end(), "true");
  };
  EXPECT_NEAR(static_cast<double>(count(column_of(R"({"type":"bool","random":"1,3"})"))), 1500, 100);
  EXPECT_EQ(count(column_of(R"({"type":"bool","random":"10,0"})")), 0);
  EXPECT_EQ(count(column_of(R"({"type":"bool","random":"0,10"})")), 2000);
}

TEST(StreamSource, ThereAreAsManySlicesAsPipelinesAndTheyDiffer) {
  const auto all =
      rows(R"({"column":[{"type":"long","random":"0,1000000000000"}],"sliceRecordCount":100})", 3);
  EXPECT_THAT(all, SizeIs(300));
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), 300U);
}

TEST(StreamSource, TheSameRunMakesTheSameRecordsAndAnotherRunOthers) {
  constexpr std::string_view job = R"({"column":[{"random":"5,15"},{"type":"date",
      "random":"2024-01-01 00:00:00,2024-12-31 00:00:00"}],"sliceRecordCount":50})";
  EXPECT_EQ(rows(job, 2, 1), rows(job, 2, 1));
  EXPECT_NE(rows(job, 2, 1), rows(job, 2, 2));
}

TEST(StreamSource, ARecordLargerThanTheRoomIsAskedForOnce) {
  auto opened = open_source(
      stream_plugin(), R"({"column":[{"random":"300000,300000"},{"random":"1,9"}],"sliceRecordCount":3})");
  const auto reader = opened.object->make_reader();
  batch_builder::limits limits;
  limits.bytes_target = 1000;
  limits.bytes_max = 2000;
  const auto batches = read_split(**reader, opened.description, opened.splits.front(), limits);
  EXPECT_THAT(rows_of(batches), SizeIs(3));
  EXPECT_GE(batches.size(), 3U);
}

TEST(StreamSource, ARecordOverTheLargestSizeIsDirtyAndShownCut) {
  auto opened =
      open_source(stream_plugin(),
                  R"({"column":[{"type":"long","value":7},{"random":"5000,5000"}],"sliceRecordCount":2})");
  const auto reader = opened.object->make_reader();
  batch_builder::limits limits;
  limits.record_bytes_max = 5007;
  const auto batches = read_split(**reader, opened.description, opened.splits.front(), limits);
  ASSERT_THAT(batches, SizeIs(1));
  EXPECT_EQ(batches[0]->rows, 0U);
  EXPECT_EQ(batches[0]->records_read, 2U);
  ASSERT_THAT(batches[0]->dirty, SizeIs(2));
  const dirty_record& second = batches[0]->dirty[1];
  EXPECT_EQ(second.position, 1U);
  EXPECT_EQ(second.code, "record_too_large");
  EXPECT_EQ(second.record_bytes, 5008U);
  EXPECT_EQ(second.record[0].text, "7");
  EXPECT_TRUE(second.cut);
}

struct wrong_case {
  const char* parameter;
  const char* said;
};

TEST(StreamSource, WrongOptionsAreRefusedWithPlaceAndValue) {
  const wrong_case cases[] = {
      {R"({"column":[],"sliceRecordCount":1})", "column"},
      {R"({"column":[{"value":"a"}]})", "sliceRecordCount"},
      {R"({"column":[{"value":"a"}],"sliceRecordCount":0})", "sliceRecordCount"},
      {R"({"column":[{"type":"text","value":"a"}],"sliceRecordCount":1})", "text"},
      {R"({"column":[{"type":"long","value":"1.5"}],"sliceRecordCount":1})", "column[0].value"},
      {R"({"column":[{"value":"a"},{"type":"bool","value":"1"}],"sliceRecordCount":1})", "column[1].value"},
      {R"({"column":[{"type":"date","value":"2014-02-30 00:00:00"}],"sliceRecordCount":1})", "2014-02-30"},
      {R"({"column":[{"type":"date","value":"x","dateFormat":"QQQ"}],"sliceRecordCount":1})", "dateFormat"},
      {R"({"column":[{"type":"long"}],"sliceRecordCount":1})", "neither value nor random"},
      {R"({"column":[{"type":"long","random":"5"}],"sliceRecordCount":1})", "comma"},
      {R"({"column":[{"type":"long","random":"5,4"}],"sliceRecordCount":1})", "5,4"},
      {R"({"column":[{"type":"long","random":"-1,4"}],"sliceRecordCount":1})", "-1,4"},
      {R"({"column":[{"random":"1,99999999999"}],"sliceRecordCount":1})", "longest"},
      {R"({"column":[{"value":{"a":1}}],"sliceRecordCount":1})", "object"},
  };
  for (const wrong_case& c : cases) {
    const error e = failure(c.parameter);
    EXPECT_EQ(e.kind, error_kind::bad_option) << c.parameter;
    EXPECT_THAT(e.message, HasSubstr(c.said)) << c.parameter;
  }
}

}  // namespace
}  // namespace sluice
