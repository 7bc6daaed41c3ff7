#include "tools/cli/job_schema.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "jobspec/loose_json.h"
#include "tests/support/source_dir.h"
#include "tools/cli/draft_job.h"

namespace sluice {
namespace {

using adapter = valijson::adapters::NlohmannJsonAdapter;

/// The schema as another program sees it: its text, parsed by valijson.
class checker {
 public:
  explicit checker(std::optional<dialect> which)
      : document_(nlohmann::json::parse(job_schema(all_plugins(), which).dump())) {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(adapter(document_), schema_);
  }
  [[nodiscard]] bool accepts(const std::string& text) const {
    const auto read = read_loose_json("job.json", text);
    EXPECT_TRUE(read.has_value()) << text;
    return read && validator_.validate(schema_, adapter(read->root), nullptr);
  }

 private:
  nlohmann::json document_;
  valijson::Schema schema_;
  mutable valijson::Validator validator_;  // One for all: it keeps the patterns it has compiled.
};

std::vector<std::optional<dialect>> schemas_for(dialect d) {
  return {d, std::nullopt};
}

std::string script2(const std::string& reader, const std::string& setting = "{}") {
  return R"({"type": "job", "version": "2.0", "steps": [)" + reader +
         R"(, {"stepType": "stream", "category": "writer", "name": "W", "parameter": {"print": false}}],
         "setting": )" +
         setting + R"(, "order": {"hops": [{"from": "R", "to": "W"}]}})";
}
const std::string good_reader =
    R"({"stepType": "text", "category": "reader", "name": "R", "parameter": {"path": ["a.csv"]}})";

TEST(job_schema, accepts_the_template_of_every_pair_of_plugins) {
  program parts;
  parts.plugins = &all_plugins();
  parts.variable = [](const char*) { return std::optional<std::string>(); };
  for (const dialect d : {dialect::script2, dialect::datax}) {
    for (const auto& which : schemas_for(d)) {
      const checker schema(which);
      for (const plugin& from : all_plugins()) {
        for (const plugin& to : all_plugins()) {
          if (from.reads == nullptr || to.writes == nullptr) {
            continue;
          }
          secret_filter secrets;
          const auto draft = draft_job(
              {.from = from.name, .to = to.name, .form = d, .where = {}, .heading = {}, .datasources = {}},
              parts, secrets, {});
          ASSERT_TRUE(draft.has_value()) << draft.error().message;
          EXPECT_TRUE(schema.accepts(job_text(*draft))) << job_text(*draft);
        }
      }
    }
  }
}

TEST(job_schema, accepts_every_sample_job) {
  const checker schema(std::nullopt);
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::in_source_tree("deploy/jobs"))) {
    if (entry.path().extension() == ".json") {
      std::ifstream in(entry.path());
      std::stringstream text;
      text << in.rdbuf();
      EXPECT_TRUE(schema.accepts(text.str())) << entry.path();
      ++seen;
    }
  }
  EXPECT_GT(seen, 0U);
}

/// Those whose variables stand outside of quotes are JSON only once they are filled in.
TEST(job_schema, accepts_every_complete_job_of_the_corpus) {
  const checker script2_schema(dialect::script2), datax_schema(dialect::datax), both(std::nullopt);
  std::size_t seen = 0;
  for (const auto& [folder, own] :
       {std::pair{"script", &script2_schema}, std::pair{"datax", &datax_schema}}) {
    const auto path = std::filesystem::path(testing::in_source_tree("tests/data/jobs/corpus")) / folder;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      std::ifstream in(entry.path());
      std::stringstream text;
      text << in.rdbuf();
      if (!read_loose_json("job.json", text.str())) {
        continue;
      }
      EXPECT_TRUE(own->accepts(text.str())) << entry.path();
      EXPECT_TRUE(both.accepts(text.str())) << entry.path();
      ++seen;
    }
  }
  EXPECT_GT(seen, 120U);
}

TEST(job_schema, accepts_what_real_files_have) {
  const checker schema(dialect::script2);
  for (const std::string& text : {
           script2(good_reader),
           script2(
               R"({"stepType": "CSV", "category": "Reader", "name": "R", "parameter": {"path": "a.csv"}})"),
           script2(R"({"stepType": "mongodb", "category": "reader", "parameter": {"anything": [1]}})"),
           script2(good_reader, R"({"speed": {"concurrent": "${n}", "throttle": "false"}})"),
           script2(good_reader, R"({"speed": {"throttle": true, "mbps": "12", "dmu": "x"}})"),
           script2(good_reader, R"({"speed": {"throttle": "${t}", "mbps": "${n}", "concurrent": "2"}})"),
           script2(good_reader, R"({"speed": {"throttle": false, "mbps": ""}})"),
           script2(good_reader, R"({"errorLimit": {"record": "0"}, "executeMode": null})"),
           script2(good_reader, R"({"$schema": "sluice.schema.json"})"),
           std::string(R"({"$schema": "x", "steps": [)") + good_reader +
               R"(, {"stepType": "odps", "category": "writer", "parameter": {}}]})",
       }) {
    EXPECT_TRUE(schema.accepts(text)) << text;
  }
}

struct broken_case {
  const char* about;
  std::string text;
};

TEST(job_schema, refuses_broken_jobs) {
  const broken_case cases[] = {
      {"no steps", R"({"type": "job"})"},
      {"steps are no list", R"({"steps": {}})"},
      {"a reader alone", R"({"steps": [)" + good_reader + "]}"},
      {"two readers", R"({"steps": [)" + good_reader + ", " + good_reader + "]}"},
      {"another type", R"({"type": "flow", "steps": []})"},
      {"another version", R"({"version": "3.0", "steps": []})"},
      {"no category", script2(R"({"stepType": "text", "parameter": {"path": "a"}})")},
      {"a category that is none",
       script2(R"({"stepType": "text", "category": "source", "parameter": {"path": "a"}})")},
      {"no stepType", script2(R"({"category": "reader", "parameter": {}})")},
      {"a stepType that is none",
       script2(R"({"stepType": "txet", "category": "reader", "parameter": {"path": "a"}})")},
      {"a required option is missing",
       script2(R"({"stepType": "text", "category": "reader", "parameter": {}})")},
      {"no parameter", script2(R"({"stepType": "text", "category": "reader"})")},
      {"a list that is an object",
       script2(R"({"stepType": "text", "category": "reader", "parameter": {"path": {}}})")},
      {"columns that are a number",
       script2(R"({"stepType": "text", "category": "reader", "parameter": {"path": "a", "column": 5}})")},
      {"a boolean that is a list",
       script2(
           R"({"stepType": "text", "category": "reader", "parameter": {"path": "a", "skipHeader": []}})")},
      {"too many pipelines", script2(good_reader, R"({"speed": {"concurrent": 1000}})")},
      {"no pipeline", script2(good_reader, R"({"speed": {"concurrent": 0}})")},
      {"a speed in words", script2(good_reader, R"({"speed": {"throttle": true, "mbps": "x"}})")},
      {"half a MiB", script2(good_reader, R"({"speed": {"throttle": true, "mbps": 1.5}})")},
      {"no MiB", script2(good_reader, R"({"speed": {"throttle": true, "mbps": 0}})")},
      {"a speed as text with a point", script2(good_reader, R"({"speed": {"mbps": "1.5"}})")},
      {"bytes in words", script2(good_reader, R"({"speed": {"byte": "abc"}})")},
      {"a truth that is a number", script2(good_reader, R"({"speed": {"throttle": 1}})")},
      {"a truth in other words", script2(good_reader, R"({"speed": {"throttle": "yes"}})")},
      {"a truth for a number", script2(good_reader, R"({"speed": {"concurrent": true}})")},
      {"half a record", script2(good_reader, R"({"errorLimit": {"record": 0.5}})")},
      {"less than no record", script2(good_reader, R"({"errorLimit": {"record": -1}})")},
      {"more than all", script2(good_reader, R"({"errorLimit": {"percentage": 2}})")},
      {"settings that are a list", script2(good_reader, "[]")},
      {"a hop without an end", R"({"steps": [], "order": {"hops": [{"from": "R"}]}})"},
  };
  for (const auto& which : schemas_for(dialect::script2)) {
    const checker schema(which);
    for (const broken_case& c : cases) {
      EXPECT_FALSE(schema.accepts(c.text)) << c.about << ": " << c.text;
    }
  }
}

TEST(job_schema, refuses_broken_datax_jobs) {
  const auto job = [](const std::string& content, const std::string& setting = "{}") {
    return R"({"job": {"setting": )" + setting + R"(, "content": )" + content + "}}";
  };
  const std::string reader = R"("reader": {"name": "txtfilereader", "parameter": {"path": ["a"]}})";
  const std::string writer = R"("writer": {"name": "streamwriter", "parameter": {"print": true}})";
  const std::string both = "[{" + reader + ", " + writer + "}]";
  for (const auto& which : schemas_for(dialect::datax)) {
    const checker schema(which);
    EXPECT_TRUE(schema.accepts(job(both, R"({"speed": {"channel": 3}})")));
    const broken_case cases[] = {
        {"no content", R"({"job": {}})"},
        {"an empty list", job("[]")},
        {"no writer", job("[{" + reader + "}]")},
        {"no reader", job("[{" + writer + "}]")},
        {"a name that is none",
         job(R"([{"reader": {"name": "txtfileraeder", "parameter": {}}, )" + writer + "}]")},
        {"no name", job(R"([{"reader": {"parameter": {}}, )" + writer + "}]")},
        {"a required option is missing",
         job(R"([{"reader": {"name": "txtfilereader", "parameter": {}}, )" + writer + "}]")},
        {"a job that is a list", R"({"job": []})"},
        {"channels as an object", job(both, R"({"speed": {"channel": {}}})")},
        {"transformers that are a text", job("[{" + reader + ", " + writer + R"(, "transformer": "x"}])")},
    };
    for (const broken_case& c : cases) {
      EXPECT_FALSE(schema.accepts(c.text)) << c.about << ": " << c.text;
    }
  }
}

}  // namespace
}  // namespace sluice
