#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "plugins/sqlite/sqlite_plugin.h"
#include "plugins/stream/stream_plugin.h"
#include "plugins/text/text_plugin.h"
#include "tests/conformance/example_plugin.h"
#include "tests/conformance/source_suite.h"
#include "tests/conformance/target_suite.h"
#include "transport/base/sqlite.h"

// Which systems the shared suites are run against, and what is particular about each.
namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> messy_rows = {"1|a", "2|b,\n\"c\"", "3|", "4|ü€", "5|e", "6|f", "7|g"};
const char* const messy_csv = "1,a\n2,\"b,\n\"\"c\"\"\"\n3,\"\"\nx,bad number\n4,ü€\r\n5,e\n6\n6,f\n7,g";
const char* const columns_of_csv = R"("column":[{"index":0,"type":"long"},{"index":1,"type":"string"}])";

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump();
}

void run_sql(const std::string& path, const std::string& statements) {
  auto db = sqlite::database::open(path, sqlite::open_mode::create, 0ms);
  ASSERT_TRUE(db) << db.error().message;
  const auto done = db->run(statements);
  ASSERT_TRUE(done) << done.error().message;
}

source_quirks csv_source() {
  return {.name = "Csv",
          .make_plugin = text_plugin,
          .fill =
              [](const temporary_folder& folder) {
                write_file(folder.file("in.csv"), messy_csv);
                return fmt::format(R"({{"path":{},{}}})", json_text(folder.file("in.csv")), columns_of_csv);
              },
          .rows = messy_rows,
          .dirty_codes = {"not_a_number", "too_few_fields"}};
}

source_quirks several_files_source() {
  return {.name = "CsvFiles",
          .make_plugin = text_plugin,
          .fill =
              [](const temporary_folder& folder) {
                write_file(folder.file("in1.csv"), "1|a\n2|b\n");
                write_file(folder.file("in2.csv"), "");
                write_file(folder.file("in3.csv"), "3|c");
                return fmt::format(R"({{"path":[{}],"fieldDelimiter":"|"}})",
                                   json_text(folder.file("in*.csv")));
              },
          .rows = std::vector<std::string>{"1|a", "2|b", "3|c"}};
}

source_quirks gzip_source() {
  return {.name = "CsvGzip",
          .make_plugin = text_plugin,
          .fill =
              [](const temporary_folder& folder) {
                write_file(folder.file("in.csv"), messy_csv);
                EXPECT_EQ(std::system(fmt::format("gzip '{}'", folder.file("in.csv")).c_str()), 0);
                return fmt::format(R"({{"path":{},"compress":"gzip",{}}})",
                                   json_text(folder.file("in.csv.gz")), columns_of_csv);
              },
          .rows = messy_rows,
          .dirty_codes = {"not_a_number", "too_few_fields"}};
}

source_quirks json_source() {
  return {
      .name = "JsonLines",
      .make_plugin = text_plugin,
      .fill =
          [](const temporary_folder& folder) {
            write_file(folder.file("in.jsonl"),
                       "{\"id\":1,\"name\":\"a\\u00fc\"}\n{\"name\":null,\"id\":2}\n{broken\n"
                       "{\"id\":\"x\",\"name\":\"n\"}\n{\"id\":3,\"name\":{\"deep\": [1]}}\n{\"id\":4}\n");
            return fmt::format(R"({{"path":{},"fileFormat":"json","column":[{{"name":"id","type":"long"}},)"
                               R"({{"name":"name","type":"string"}}]}})",
                               json_text(folder.file("in.jsonl")));
          },
      .rows = std::vector<std::string>{"1|aü", "2|<null>", "3|{\"deep\": [1]}", "4|<null>"},
      .dirty_codes = {"not_json", "not_a_number"}};
}

source_quirks stream_source() {
  return {.name = "Stream",
          .make_plugin = stream_plugin,
          .fill =
              [](const temporary_folder&) {
                return std::string(
                    R"({"column":[{"type":"long","random":"0,1000"},{"random":"0,40"},{"value":null},
                    {"type":"bool","random":"1,1"},{"type":"bytes","value":"b"}],"sliceRecordCount":50})");
              },
          .records = [](std::uint32_t advice) { return std::uint64_t{50} * advice; }};
}

source_quirks sqlite_source() {
  return {.name = "Sqlite",
          .make_plugin = sqlite_plugin,
          .fill =
              [](const temporary_folder& folder) {
                run_sql(folder.file("in.db"),
                        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);"
                        "INSERT INTO t VALUES (1,'a'),(3,NULL),(4,''),(9,'ü'),(12,x'00'),(40,'e');");
                return fmt::format(R"({{"jdbcUrl":{},"table":"t","column":["id","name"]}})",
                                   json_text("jdbc:sqlite:" + folder.file("in.db")));
              },
          .rows = std::vector<std::string>{"1|a", "3|<null>", "4|", "9|ü", "40|e"},
          .dirty_codes = {"wrong_type"}};
}

source_quirks example_source() {
  return {.name = "Example",
          .make_plugin = example_plugin,
          .fill = [](const temporary_folder&) { return std::string(R"({"to":5})"); },
          .rows = std::vector<std::string>{"1", "2", "3", "4", "5"}};
}

/// Files of the text writer, read back by the text reader.
std::vector<std::string> read_files(const temporary_folder& folder, const std::string& more) {
  std::vector<std::string> names = folder.names();
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("out"); });
  std::vector<std::string> rows;
  for (const std::string& name : names) {
    const bool json = more.find("json") != std::string::npos;
    const std::string columns = json ? R"([{"name":"id","type":"string"},{"name":"name","type":"string"}])"
                                     : R"([{"index":0,"type":"string"},{"index":1,"type":"string"}])";
    auto opened = open_source(text_plugin(), fmt::format(R"({{"path":{},"column":{}{}}})",
                                                         json_text(folder.file(name)), columns, more));
    for (const split& s : opened.splits) {
      for (std::string& row :
           rows_of(read_split(**opened.object->make_reader(), opened.description, s, {}))) {
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

target_quirks text_target(const std::string& name, const std::string& more, const std::string& read_more,
                          const text_row& bad_row = {}, const std::string& bad_code = "") {
  return {.name = name,
          .make_plugin = text_plugin,
          .make_ready =
              [more](const temporary_folder& folder) {
                return fmt::format(R"({{"path":{},"fileName":"out"{}}})", json_text(folder.path()), more);
              },
          .read_back = [read_more](const temporary_folder& folder) { return read_files(folder, read_more); },
          .bad_row = bad_row,
          .bad_code = bad_code};
}

target_quirks sqlite_target() {
  return {.name = "Sqlite",
          .make_plugin = sqlite_plugin,
          .make_ready =
              [](const temporary_folder& folder) {
                run_sql(folder.file("out.db"), "CREATE TABLE t (id TEXT NOT NULL, name TEXT);");
                return fmt::format(R"({{"jdbcUrl":{},"table":"t","column":["id","name"]}})",
                                   json_text("jdbc:sqlite:" + folder.file("out.db")));
              },
          .read_back =
              [](const temporary_folder& folder) {
                std::vector<std::string> rows;
                auto db = sqlite::database::open(folder.file("out.db"), sqlite::open_mode::read_only, 0ms);
                EXPECT_TRUE(db) << db.error().message;
                auto select = db->prepare("SELECT id || '|' || name FROM t");
                while (select && select->step() == sqlite::step_answer::row) {
                  rows.push_back(select->text_at(0));
                }
                return rows;
              },
          .bad_row = {nullptr, "b"},
          .bad_code = "SQLITE_CONSTRAINT_NOTNULL"};
}

const auto name_of = [](const auto& info) { return info.param.name; };

INSTANTIATE_TEST_SUITE_P(Systems, SourceSuite,
                         ::testing::Values(csv_source(), several_files_source(), gzip_source(), json_source(),
                                           stream_source(), sqlite_source(), example_source()),
                         name_of);

INSTANTIATE_TEST_SUITE_P(
    Systems, TargetSuite,
    ::testing::Values(text_target("Csv", "", ""),
                      text_target("CsvGzip", R"(,"compress":"gzip")", R"(,"compress":"gzip")"),
                      text_target("CsvZstd", R"(,"compress":"zstd")", R"(,"compress":"zstd")"),
                      text_target("CsvBzip2", R"(,"compress":"bzip2")", R"(,"compress":"bzip2")"),
                      text_target("CsvZip", R"(,"compress":"zip")", R"(,"compress":"zip")"),
                      text_target("CsvOneFile", R"(,"singleFileOutput":true)", ""),
                      text_target("CsvLatin1", R"(,"encoding":"ISO-8859-1")", R"(,"encoding":"ISO-8859-1")",
                                  {"2", "€"}, "not_in_charset"),
                      text_target("JsonLines", R"(,"fileFormat":"json")", R"(,"fileFormat":"json")"),
                      sqlite_target()),
    name_of);

}  // namespace
}  // namespace sluice::testing
