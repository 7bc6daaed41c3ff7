#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/source_dir.h"
#include "tests/unit/plugins/text/text_reading.h"

namespace sluice {
namespace {

using namespace text_reading;  // NOLINT(google-build-using-namespace): the test's own helpers

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(testing::in_source_tree("tests/data/csv"))) {
    if (entry.path().extension() == ".json") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

class csv_oddity : public ::testing::TestWithParam<std::string> {};

/// tests/data/csv/NAME.csv read with the parameter in NAME.json has the rows (fields joined by `|`, NULL as
/// `~`) and the dirty records (`line:code`) that stand there.
TEST_P(csv_oddity, is_read_as_its_expectation_says) {
  const std::string base = testing::in_source_tree("tests/data/csv/") + GetParam();
  const auto expected = nlohmann::json::parse(content_of(base + ".json"));
  reading r{.parameter = expected["parameter"]};
  r.parameter["path"] = base + ".csv";
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  std::string rows;
  for (const auto& row : expected["rows"]) {
    rows += row.get<std::string>() + "\n";
  }
  EXPECT_EQ(shown(*out), rows);
  EXPECT_EQ(shown_dirty(*out), expected["dirty"].get<std::string>());
  if (expected.contains("columns")) {
    std::vector<std::string> columns;
    for (const field& f : out->columns) {
      columns.push_back(f.name + " " + to_string(f.type));
    }
    EXPECT_EQ(columns, expected["columns"].get<std::vector<std::string>>());
  }
  // However small the batches are, the records are the same.
  r.memory_bytes = 1;
  r.limits.rows_max = 1;
  const auto again = r.read();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(shown(*again), rows);
  EXPECT_EQ(shown_dirty(*again), expected["dirty"].get<std::string>());
}

INSTANTIATE_TEST_SUITE_P(all, csv_oddity, ::testing::ValuesIn(case_names()),
                         [](const auto& p) { return p.param; });

TEST(text_file_reader, gives_every_record_its_place) {
  const temporary_folder folder;
  reading r{.parameter = {{"path", folder.file("a.csv", "\xEF\xBB\xBFid,text\r\n1,\"a\nb\"\n2,x\n3\n")},
                          {"skipHeader", "true"}}};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->rows[0].line, 2U);
  EXPECT_EQ(out->rows[0].byte_offset, 12U);
  EXPECT_EQ(out->rows[1].line, 4U);
  EXPECT_EQ(out->rows[1].byte_offset, 20U);
  ASSERT_EQ(out->dirty.size(), 1U);
  EXPECT_EQ(out->dirty[0].line, 5U);
  EXPECT_EQ(out->dirty[0].byte_offset, 24U);
  EXPECT_EQ(out->dirty[0].position, 2U);
}

TEST(text_file_reader, says_of_a_refused_value_all_that_helps_to_find_it) {
  const temporary_folder folder;
  const std::string path = folder.file("a.csv", "id,price\n1,2.5\n\"2\",abc\n");
  reading r{
      .parameter = {{"path", path},
                    {"skipHeader", true},
                    {"column", {{{"index", 0}, {"type", "long"}}, {{"index", 1}, {"type", "double"}}}}}};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  ASSERT_EQ(out->dirty.size(), 1U);
  const dirty_record& d = out->dirty[0];
  EXPECT_EQ(d.side, dirty_side::reader);
  EXPECT_EQ(d.source, path);
  EXPECT_EQ(d.column, "price");
  EXPECT_EQ(d.value, "abc");
  EXPECT_EQ(d.target_type, "decimal_text");
  EXPECT_EQ(d.code, "not_a_number");
  EXPECT_EQ(d.message, "\"abc\" in column \"price\" is not a number. The text is not a decimal number.");
  ASSERT_EQ(d.record.size(), 2U);
  EXPECT_EQ(d.record[0].name, "id");
  EXPECT_EQ(d.record[0].text, "\"2\"");
  EXPECT_EQ(d.record_bytes, 7U);
  EXPECT_NE(d.sum, row_sum{});
}

TEST(text_file_reader, reads_all_files_of_a_pattern_in_order_each_with_its_header) {
  const temporary_folder folder;
  folder.file("b.csv", "h\n2\n");
  folder.file("a 1\xC3\xBC.csv", "h\n1");
  folder.file("c.txt", "h\n3\n");
  std::filesystem::create_directory(folder.path("d.csv"));
  reading r{.parameter = {{"path", {folder.path("*.csv"), folder.path("c.txt"), folder.path("b.csv")}},
                          {"skipHeader", true}}};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(shown(*out), "1\n2\n3\n");
  EXPECT_EQ(out->splits, 3U);
}

TEST(text_file_reader, counts_lines_of_a_part_whose_line_is_not_known_only_for_a_dirty_record) {
  const temporary_folder folder;
  std::string text;
  for (int i = 0; i < 2'500'000; ++i) {
    text += i == 2'400'000 ? "x\n" : "abcdef,1\n";
  }
  reading r{.parameter = {{"path", folder.file("a.csv", text)}, {"fileFormat", "text"}}, .advice = 2};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_GT(out->splits, 1U);
  EXPECT_EQ(shown_dirty(*out), "2400001:too_few_fields");
  EXPECT_EQ(out->rows.back().line, 0U);
  EXPECT_TRUE(r.notes.empty());
  r.parameter["fileFormat"] = "csv";
  const auto quoted_out = r.read();
  ASSERT_TRUE(quoted_out);
  EXPECT_EQ(shown_dirty(*quoted_out), "2400001:too_few_fields");
  EXPECT_EQ(quoted_out->rows.back().line, 2'500'000U);
  ASSERT_EQ(r.notes.size(), 1U);
  EXPECT_NE(r.notes[0].find("one pass over quotes"), std::string::npos) << r.notes[0];
  EXPECT_TRUE(r.warnings.empty());
}

TEST(text_file_reader, asks_for_room_before_it_holds_a_record_larger_than_its_window) {
  const temporary_folder folder;
  const std::string large(5'000'000, 'y');
  reading r{.parameter = {{"path", folder.file("a.csv", "a,1\n" + large + ",2\nb,3\n")}}};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  ASSERT_EQ(out->rows.size(), 3U);
  EXPECT_EQ(out->rows[1].values[0], large);
  EXPECT_EQ(out->rows[2].values[0], "b");
  EXPECT_GT(out->needs, 0U);
  EXPECT_LT(out->needs_bytes_max, 4 * large.size());
}

TEST(text_file_reader, gives_the_room_of_a_large_record_back_with_it) {
  const temporary_folder folder;
  const std::string large(5'000'000, 'y');
  reading r{.parameter = {{"path", folder.file("a.csv", large + ",1\r\n" + large + ",2\r\nb,3\r\nc,4\r\n")}}};
  r.memory_bytes = std::size_t{128} << 10;
  r.pool = buffer_pool::make(0);
  const auto from = r.make_source();
  ASSERT_TRUE(from) << from.error().message;
  const auto description = (*from)->open({});
  ASSERT_TRUE(description) << description.error().message;
  const auto splits = (*from)->plan_splits(1, {});
  ASSERT_TRUE(splits) << splits.error().message;
  auto reader = (*from)->make_reader();
  ASSERT_TRUE(reader) << reader.error().message;
  ASSERT_TRUE((*reader)->open((*splits)[0].description, {}, {}));
  std::size_t records = 0;
  for (bool more = true; more;) {
    batch_builder builder(description->columns, r.pool, r.limits);
    auto answer = (*reader)->read(builder, {});
    while (answer && answer->what == read_answer::kind::needs) {
      auto wide = r.limits;
      wide.bytes_max = answer->bytes;
      builder.set_limits(wide);
      answer = (*reader)->read(builder, {});
    }
    ASSERT_TRUE(answer) << answer.error().message;
    more = answer->what != read_answer::kind::end;
    const auto b = builder.seal(records);
    records += b->records_read;
    // Beside the batch, which holds the record, only a window of the usual size is left.
    EXPECT_LT(r.pool->bytes_in_use(), b->bytes_held() + (std::size_t{2} << 20)) << records;
  }
  EXPECT_EQ(records, 4U);
}

TEST(text_file_reader, reads_a_large_json_line) {
  const temporary_folder folder;
  const std::string large(5'000'000, 'y');
  reading r{.parameter = {{"path", folder.file("a.json", "{\"a\":\"" + large + "\"}\n{\"a\":1}\n")},
                          {"fileFormat", "jsonl"},
                          {"column", {{{"name", "a"}, {"type", "string"}}}}}};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  ASSERT_EQ(out->rows.size(), 2U);
  EXPECT_EQ(out->rows[0].values[0], large);
  EXPECT_EQ(out->rows[1].values[0], "1");
}

TEST(text_file_reader, passes_over_a_record_beyond_the_limit_without_holding_it) {
  const temporary_folder folder;
  const std::string path = folder.path("a.csv");
  {
    std::ofstream file(path, std::ios::binary);
    file << "a,1\n\"";
    const std::string piece(1'000'000, 'z');
    for (int i = 0; i < 100; ++i) {
      file << piece << '\n';
    }
    file << "\",2\r\nb,3\n";
  }
  reading r{.parameter = {{"path", path}}};
  r.limits.record_bytes_max = std::uint64_t{4} << 20;
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(shown(*out), "a|1\nb|3\n");
  ASSERT_EQ(out->dirty.size(), 1U);
  EXPECT_EQ(out->dirty[0].code, "record_too_large");
  EXPECT_EQ(out->dirty[0].line, 2U);
  EXPECT_EQ(out->dirty[0].byte_offset, 4U);
  EXPECT_EQ(out->dirty[0].record_bytes, 100'000'104U);
  EXPECT_TRUE(out->dirty[0].cut);
  EXPECT_EQ(out->dirty[0].record[0].text->size(), 65536U);
  EXPECT_EQ(out->rows[1].line, 103U);
  EXPECT_EQ(out->rows[1].byte_offset, 100'000'110U);
  EXPECT_LT(out->pool_bytes_peak, 4 * r.limits.record_bytes_max);
}

TEST(text_file_reader, refuses_a_record_with_too_many_fields) {
  const temporary_folder folder;
  for (const std::size_t count : {std::size_t{65536}, std::size_t{65537}, std::size_t{500'000}}) {
    reading r{.parameter = {{"path", folder.file("a.csv", "a\n" + std::string(count - 1, ',') + "\nb\n")},
                            {"column", {{{"index", 0}, {"type", "string"}}}}}};
    r.limits.bytes_max = std::size_t{256} << 20;
    const auto out = r.read();
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(shown(*out), count == 65536 ? "a\n\nb\n" : "a\nb\n");
    EXPECT_EQ(shown_dirty(*out), count == 65536 ? "" : "2:too_many_fields");
    EXPECT_EQ(out->rows.back().line, 3U);
  }
}

TEST(text_file_reader, notices_a_file_that_changed) {
  const temporary_folder folder;
  const std::string path = folder.file("a.csv", "a\nb\nc\n");
  reading r{.parameter = {{"path", path}}};
  r.limits.rows_max = 1;
  const auto before = r.read();
  ASSERT_TRUE(before);

  auto from = r.make_source();
  ASSERT_TRUE(from && (*from)->open({}));
  const auto splits = (*from)->plan_splits(1, {});
  folder.file("a.csv", "a\nb\nc\nd\n");
  const auto changed = (*(*from)->make_reader())->open((*splits)[0].description, {}, {});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind, error_kind::source_changed);
  EXPECT_NE(changed.error().message.find("had 6 bytes and has 8"), std::string::npos)
      << changed.error().message;
  EXPECT_EQ((*from)->check_unchanged({}).error().kind, error_kind::source_changed);
  std::filesystem::remove(path);
  EXPECT_EQ((*from)->check_unchanged({}).error().kind, error_kind::source_changed);
  EXPECT_EQ((*(*from)->make_reader())->open((*splits)[0].description, {}, {}).error().kind,
            error_kind::source_changed);

  // Same size, and a plan made anew, but what was read already is other.
  folder.file("a.csv", "x\nb\nc\n");
  r.after = before->cursors[0];
  const auto other = r.read();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, error_kind::source_changed);
  EXPECT_NE(other.error().message.find("content before that differs"), std::string::npos)
      << other.error().message;
}

TEST(text_file_reader, stops_when_it_is_told_to) {
  const temporary_folder folder;
  reading r{.parameter = {{"path", folder.file("a.csv", "a\n")}}};
  auto from = r.make_source();
  const auto description = (*from)->open({});
  const auto splits = (*from)->plan_splits(1, {});
  auto reader = (*from)->make_reader();
  const stop_source stop;
  stop.fire();
  ASSERT_TRUE((*reader)->open((*splits)[0].description, {}, {}));
  batch_builder builder(description->columns, r.pool, {});
  const auto answer = (*reader)->read(builder, stop.signal());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::cancelled);
}

TEST(text_file_reader, succeeds_without_a_file_only_where_the_job_says_so) {
  const temporary_folder folder;
  reading r{.parameter = {{"path", {folder.path("*.csv"), folder.path("none")}}, {"successOnNoFile", true}}};
  const auto out = r.read();
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_TRUE(out->rows.empty());
}

struct wrong_use {
  const char* name;
  const char* parameter;  ///< `DIR` stands for the folder, which has good.csv (`a,b` and `1,2`).
  const char* message;    ///< A part of it; `DIR` likewise.
  error_kind kind = error_kind::bad_option;
};

TEST(text_file_reader, names_the_place_and_the_way_out_of_wrong_use) {
  const temporary_folder folder;
  folder.file("good.csv", "a,b\n1,2\n");
  folder.file("other.csv", "b,a\n1,2\n");
  folder.file("twice.csv", "a,a\n1,2\n");
  folder.file("large.csv", std::string(10, 'x'));
  folder.file("packed.gz", "\x1f\x8b\x08 and so on");
  folder.file("packed.zip", "PK\x03\x04 and so on");
  folder.file("wide.csv", std::string_view("\xff\xfe"
                                           "a\0\n\0",
                                           6));
  folder.file("wider.csv", std::string_view("\xff\xfe\0\0"
                                            "a\0\0\0",
                                            8));
  std::filesystem::create_directory(folder.path("folder"));
  const std::vector<wrong_use> cases = {
      {"no path", R"({})", "no path is given"},
      {"missing", R"({"path":"DIR/none.csv"})", "The file \"DIR/none.csv\" does not exist"},
      {"folder", R"({"path":"DIR/folder"})", "is a directory; name its files"},
      {"device", R"({"path":"/dev/null"})", "is not a regular file"},
      {"no match", R"({"path":"DIR/*.nothing"})", "no file matches \"DIR/*.nothing\""},
      {"format", R"({"path":"DIR/good.csv","fileFormat":"orc"})", "expected one of \"csv\""},
      {"compression", R"({"path":"DIR/good.csv","compress":"lzo"})", "expected one of"},
      {"encoding", R"({"path":"DIR/good.csv","encoding":"klingon"})", "No encoding has the name \"klingon\""},
      {"delimiter is the quote", R"({"path":"DIR/good.csv","fieldDelimiter":"\""})",
       "contains the quote character"},
      {"delimiter is a line end", R"({"path":"DIR/good.csv","fieldDelimiter":"\n"})",
       "contains the end of a record"},
      {"long delimiter", R"({"path":"DIR/good.csv","fieldDelimiter":"12345678901234567"})",
       "at most 16 bytes"},
      {"quote of two", R"({"path":"DIR/good.csv","csvReaderConfig":{"textQualifier":"ab"}})",
       "one character"},
      {"wide delimiter", R"({"path":"DIR/good.csv","encoding":"GBK","fieldDelimiter":"\u00a7"})",
       "is not ASCII"},
      {"unknown type", R"({"path":"DIR/good.csv","column":[{"index":0,"type":"int"}]})",
       "column[0].type: the type is \"int\"; write STRING"},
      {"no type", R"({"path":"DIR/good.csv","column":[{"index":0}]})", "has no \"type\""},
      {"index and value", R"({"path":"DIR/good.csv","column":[{"index":0,"value":"x","type":"string"}]})",
       "both \"index\" and \"value\""},
      {"neither", R"({"path":"DIR/good.csv","column":[{"type":"string"}]})",
       "neither \"index\" nor \"value\""},
      {"negative index", R"({"path":"DIR/good.csv","column":[{"index":-1,"type":"string"}]})",
       "a whole number"},
      {"bad constant", R"({"path":"DIR/good.csv","column":[{"value":"x","type":"long"}]})",
       "\"x\" is not a whole number"},
      {"bad pattern", R"({"path":"DIR/good.csv","column":[{"index":0,"type":"date","format":"yyyy-bb"}]})",
       "column[0].format"},
      {"empty list", R"({"path":"DIR/good.csv","column":[]})", "the list is empty"},
      {"text in the list", R"({"path":"DIR/good.csv","column":["a"]})", "expected an object"},
      {"name without header", R"({"path":"DIR/good.csv","column":[{"name":"a","type":"string"}]})",
       "needs \"skipHeader\""},
      {"unknown heading",
       R"({"path":"DIR/good.csv","skipHeader":true,"column":[{"name":"aa","type":"string"}]})",
       "has no heading \"aa\"; did you mean \"a\"?"},
      {"heading twice",
       R"({"path":"DIR/twice.csv","skipHeader":true,"column":[{"name":"a","type":"string"}]})",
       "stands twice"},
      {"other headings",
       R"({"path":["DIR/good.csv","DIR/other.csv"],"skipHeader":true,"column":[{"name":"a","type":"string"}]})",
       "have different headings"},
      {"other headings by place", R"({"path":["DIR/good.csv","DIR/other.csv"],"skipHeader":true})",
       "list the columns by \"index\""},
      {"a format without a date",
       R"({"path":"DIR/good.csv","column":[{"index":0,"type":"date","format":"HH:mm:ss"}]})",
       "has no date, and a time of day alone is no point in time"},
      {"gzip unsaid", R"({"path":"DIR/packed.gz"})", "is gzip data and no text: set compress to gzip"},
      {"zip unsaid", R"({"path":"DIR/packed.zip"})", "set compress to zip"},
      {"UTF-16 unsaid", R"({"path":"DIR/wide.csv"})", "byte order mark of UTF-16LE"},
      {"UTF-32 unsaid", R"({"path":"DIR/wider.csv"})", "byte order mark of UTF-32LE"},
      {"json by index",
       R"({"path":"DIR/good.csv","fileFormat":"json","column":[{"index":0,"type":"string"}]})",
       "are named, not numbered"},
      {"json of all columns", R"({"path":"DIR/good.csv","fileFormat":"json"})", "is not a JSON object",
       error_kind::source_changed},
      {"not gzip", R"({"path":"DIR/large.csv","compress":"gzip","column":[{"index":0,"type":"string"}]})",
       "is not gzip data"},
      {"not zstd", R"({"path":"DIR/large.csv","compress":"zstd","column":[{"index":0,"type":"string"}]})",
       "is not zstd data"},
      {"not zip", R"({"path":"DIR/large.csv","compress":"zip","column":[{"index":0,"type":"string"}]})",
       "is not zip data"},
      {"not bzip2", R"({"path":"DIR/large.csv","compress":"bzip2","column":[{"index":0,"type":"string"}]})",
       "is not bzip2 data"},
      {"marker", R"({"path":"DIR/good.csv","markDoneFileName":"DIR/done","maxRetryTime":0})",
       "did not appear"},
  };
  const auto with_folder = [&](std::string text) {
    for (std::size_t at; (at = text.find("DIR")) != std::string::npos;) {
      text.replace(at, 3, folder.path("."));
    }
    return text;
  };
  for (const auto& c : cases) {
    reading r{.parameter = nlohmann::json::parse(with_folder(c.parameter))};
    const auto out = r.read();
    ASSERT_FALSE(out) << c.name;
    EXPECT_EQ(out.error().kind, c.kind) << c.name << ": " << out.error().message;
    EXPECT_NE(out.error().message.find(with_folder(c.message)), std::string::npos)
        << c.name << ": " << out.error().message;
  }
}

TEST(text_file_reader, names_a_file_that_may_not_be_read) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may read everything";
  }
  const temporary_folder folder;
  const std::string path = folder.file("a.csv", "a\n");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  reading r{.parameter = {{"path", path}}};
  const auto out = r.read();
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, error_kind::denied);
}

/// The message of each dirty record of a file with one column.
std::vector<std::string> messages_of(const std::string& content, nlohmann::json column,
                                     nlohmann::json more = nlohmann::json::object()) {
  const temporary_folder folder;
  reading r{.parameter = {{"path", folder.file("a", content)},
                          {"column", nlohmann::json::array({std::move(column)})}}};
  r.parameter.update(more);
  const auto out = r.read();
  EXPECT_TRUE(out) << out.error().message;
  std::vector<std::string> messages;
  for (const dirty_record& d : out ? out->dirty : std::vector<dirty_record>()) {
    messages.push_back(d.code + ": " + d.message);
  }
  return messages;
}

TEST(text_file_reader, takes_no_time_of_day_for_a_point_in_time) {
  const auto messages =
      messages_of("10:00:00\n2024-01-01\n2024-01-01 10:00:00\n", {{"index", 0}, {"type", "date"}});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(messages[0].starts_with("not_a_date: \"10:00:00\"")) << messages[0];
  EXPECT_EQ(messages[0].find("HH:mm:ss\" or \"HH"), std::string::npos) << messages[0];
}

TEST(text_file_reader, takes_a_fraction_of_zeros_and_names_the_cure_for_another) {
  const auto messages = messages_of("2024-01-01 00:00:00.0\n2024-01-01 00:00:00.500\n2024-01-01 00:00:00.\n",
                                    {{"index", 0}, {"type", "date"}});
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(messages[0].starts_with("too_precise: ")) << messages[0];
  EXPECT_NE(messages[0].find("yyyy-MM-dd HH:mm:ss.SSS"), std::string::npos) << messages[0];
  EXPECT_TRUE(messages[1].starts_with("not_a_date: ")) << messages[1];
  EXPECT_EQ(messages_of("2024-01-01 00:00:00.5\n",
                        {{"index", 0}, {"type", "date"}, {"format", "yyyy-MM-dd HH:mm:ss.S"}})
                .size(),
            0U);
}

TEST(text_file_reader, refuses_what_a_type_would_write_otherwise_where_it_is_told_to) {
  const std::pair<nlohmann::json, std::string> cases[] = {
      {{{"type", "long"}}, "7\n-7\n0\n007\n+7\n7.0\n"},
      {{{"type", "double"}}, "1.50\n7\n-0.01\n1e3\n.5\n01.5\n"},
      {{{"type", "boolean"}}, "true\nfalse\ntrue\nTRUE\nFalse\nfALSE\n"},
      {{{"type", "bytes"}, {"format", "pgHex"}}, "\\x00ff\n\\x\n\\xab\n\\xAB\n\\X00\n\\xaB\n"},
      {{{"type", "date"}, {"format", "yyyy-MM-dd HH:mm:ss"}},
       "2024-01-01 00:00:00\n2024-01-01 00:00:01\n2024-01-01 00:00:02\n2024-01-01 00:00:00.0\n2024-1-1 "
       "00:00:00\n2024-01-01 0:00:00\n"},
  };
  for (auto [column, content] : cases) {
    SCOPED_TRACE(column.dump());
    column["index"] = 0;
    column["name"] = "c";
    EXPECT_EQ(messages_of(content, column, {{"otherSpelling", "dirty"}}).size(), 3U);
  }
  EXPECT_EQ(messages_of("007\n+7\n", {{"index", 0}, {"type", "long"}}).size(), 0U);
  const auto messages =
      messages_of("007\n", {{"index", 0}, {"type", "long"}, {"name", "c"}}, {{"otherSpelling", "dirty"}});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(
      messages[0].starts_with("not_a_number: \"007\" in column \"c\" would be written otherwise as LONG."))
      << messages[0];
  // A number of JSON is one however it is written; a text is not.
  EXPECT_EQ(messages_of("{\"c\":1e3}\n{\"c\":\"5\"}\n{\"c\":\"05\"}\n", {{"name", "c"}, {"type", "long"}},
                        {{"otherSpelling", "dirty"}, {"fileFormat", "json"}})
                .size(),
            1U);
}

TEST(text_file_reader, blames_the_quote_that_swallowed_the_other_fields) {
  const auto messages = messages_of("1,a,x\n2,\"b,x\n3,c,x\n", {{"index", 2}, {"type", "string"}});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(messages[0].starts_with("unclosed_quote: ")) << messages[0];
  EXPECT_NE(messages[0].find("field 2"), std::string::npos) << messages[0];
}

TEST(text_file_reader, says_of_a_boolean_only_what_a_file_may_hold) {
  EXPECT_EQ(messages_of("1\n", {{"index", 0}, {"type", "boolean"}, {"name", "b"}}),
            std::vector<std::string>{"not_a_boolean: \"1\" in column \"b\" is not true or false."});
}

TEST(text_file_reader, says_what_is_wrong_with_a_line_that_is_no_json) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "it is empty"},
      {"[{\"id\":1}]", "it is an array"},
      {"nonsense", "it begins with \"nonsense\""},
      {R"({"id":"a)", "not closed by a quote"},
      {R"({"id":1} {"id":2})", "something stands behind the object"},
      {R"({"id":"\ud800"})", "surrogate"},
      {R"({"x":1,"id":01})", "a number is not written as JSON wants it, in the member at byte 7"},
      {R"({"id":nul})", "none of true, false and null"},
      {R"({"id":1,})", "missing or misplaced"},
  };
  for (const auto& [line, reason] : cases) {
    const auto messages =
        messages_of(line + "\n", {{"name", "id"}, {"type", "string"}}, {{"fileFormat", "json"}});
    ASSERT_EQ(messages.size(), 1U) << line;
    EXPECT_TRUE(messages[0].starts_with("not_json: The line is not a JSON object: ")) << messages[0];
    EXPECT_NE(messages[0].find(reason), std::string::npos) << messages[0];
  }
}

TEST(text_file_reader, names_the_key_that_a_line_has_twice) {
  EXPECT_EQ(
      messages_of(R"({"id":1,"id":2})"
                  "\n",
                  {{"name", "id"}, {"type", "long"}}, {{"fileFormat", "json"}}),
      std::vector<std::string>{"duplicate_key: The JSON object has the same key twice, so that its value is "
                               "not clear: \"id\"."});
}

TEST(text_file_reader, warns_of_keys_that_no_record_has) {
  const temporary_folder folder;
  reading r{.parameter = {
                {"path", folder.file("a.jsonl", "{\"id\":1,\"name\":\"a\"}\n{\"id\":2}\n")},
                {"fileFormat", "json"},
                {"column", {{{"name", "ID"}, {"type", "long"}}, {{"name", "nmae"}, {"type", "string"}}}}}};
  ASSERT_TRUE(r.read());
  ASSERT_EQ(r.warnings.size(), 2U);
  EXPECT_NE(r.warnings[0].find("none of the 2 records"), std::string::npos) << r.warnings[0];
  EXPECT_NE(r.warnings[0].find("did you mean \"id\"?"), std::string::npos) << r.warnings[0];
  EXPECT_NE(r.warnings[1].find("did you mean \"name\"?"), std::string::npos) << r.warnings[1];

  // What the first thousand records lack may come later.
  std::string many;
  for (int i = 0; i < 1500; ++i) {
    many += i == 700 ? "no json\n" : "{\"id\":1}\n";
  }
  reading late{
      .parameter = {
          {"path", folder.file("b.jsonl", many)},
          {"fileFormat", "json"},
          {"column", {{{"name", "id"}, {"type", "long"}}, {{"name", "remark"}, {"type", "string"}}}}}};
  ASSERT_TRUE(late.read());
  ASSERT_EQ(late.warnings.size(), 1U);
  EXPECT_NE(late.warnings[0].find("none of the 1,500 records read has the key \"remark\""), std::string::npos)
      << late.warnings[0];

  r.warnings.clear();
  r.parameter["column"] = {{{"name", "id"}, {"type", "long"}}, {{"name", "name"}, {"type", "string"}}};
  ASSERT_TRUE(r.read());
  EXPECT_TRUE(r.warnings.empty()) << r.warnings[0];
}

}  // namespace
}  // namespace sluice
