// Every name of the facts (job-formats 1.9 and 6.12, in tests/data/jobs/known_names.txt, one a line with its
// sides) is known: a job that uses it runs or is told "not supported yet", never "there is no".
#include "jobspec/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "jobspec/job.h"
#include "jobspec/words.h"
#include "tests/support/source_dir.h"
#include "tests/unit/jobspec/fake_plugins.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct known_name {
  std::string format;  ///< `2.0`, `datax`, `addax`.
  std::string name;
  std::string sides;
};

std::vector<known_name> names_of_the_facts() {
  std::ifstream in(testing::in_source_tree("tests/data/jobs/known_names.txt"));
  std::vector<known_name> names;
  for (known_name one; in >> one.format >> one.name >> one.sides;) {
    names.push_back(one);
  }
  return names;
}

/// A job with `name` at one end and the generator or its sink at the other.
std::string job_with(const std::string& name, bool reader, dialect d) {
  const bool datax = d == dialect::datax;
  const std::string read = datax ? "streamreader" : "stream";
  const std::string write = datax ? "streamwriter" : "stream";
  const std::string from = R"({"column": ["a"], "sliceRecordCount": 1})";
  return fmt::format(
      fmt::runtime(datax ? R"({{"job": {{"setting": {{"speed": {{"channel": 1}}}}, "content": [{{
"reader": {{"name": "{}", "parameter": {}}},
"writer": {{"name": "{}", "parameter": {{}}}}}}]}}}})"
                         : R"({{"type": "job", "version": "2.0", "steps": [
{{"stepType": "{}", "category": "reader", "name": "Reader", "parameter": {}}},
{{"stepType": "{}", "category": "writer", "name": "Writer", "parameter": {{}}}}]}})"),
      reader ? name : read, from, reader ? write : name);
}

job_errors errors_of(const std::string& name, bool reader, dialect d) {
  auto answer = parse_job("a.json", job_with(name, reader, d), {}, fake_plugins());
  return answer ? job_errors{} : std::move(answer.error());
}

class KnownName : public ::testing::TestWithParam<known_name> {};

TEST_P(KnownName, IsEitherAPluginOrNotSupportedYet) {
  const auto& [format, name, sides] = GetParam();
  const dialect d = format == "2.0" ? dialect::script2 : dialect::datax;
  const known_system* system = find_system(lower(name));
  ASSERT_NE(system, nullptr);
  for (const bool reader : {true, false}) {
    if (sides.find(reader ? 'r' : 'w') == std::string::npos) {
      continue;
    }
    const auto found = errors_of(name, reader, d);
    if (fake_plugins().find(lower(name), reader, d)) {
      EXPECT_TRUE(found.not_supported.empty()) << ::testing::PrintToString(found.lines);
      continue;
    }
    const std::string side = reader ? "reader" : "writer";
    EXPECT_THAT(found.lines,
                ElementsAre(HasSubstr(fmt::format("{} \"{}\" is not supported yet", side, name))));
    EXPECT_THAT(found.not_supported, ElementsAre(fmt::format("{} {}", side, system->name)));
    EXPECT_FALSE(found.broken);
  }
}

INSTANTIATE_TEST_SUITE_P(Facts, KnownName, ::testing::ValuesIn(names_of_the_facts()), [](const auto& one) {
  return one.param.format.substr(0, 1) + "_" + one.param.name;
});

TEST(Catalogue, HasEveryNameOnce) {
  std::set<std::string_view> seen;
  for (const known_system& system : known_systems()) {
    EXPECT_TRUE(seen.insert(system.name).second) << system.name;
    EXPECT_TRUE(system.has_side(true) || system.has_side(false) || system.name == "sqlite") << system.name;
    for (const std::string_view words : {system.everyday, system.datax_readers, system.datax_writers}) {
      std::istringstream in{std::string(words)};
      for (std::string word; in >> word;) {
        EXPECT_EQ(find_system(word), &system) << word;
        EXPECT_EQ(lower(word), word);
      }
    }
  }
  EXPECT_GT(seen.size(), 70u);
  EXPECT_GT(names_of_the_facts().size(), 200u);
}

TEST(Catalogue, HasItsEverydayNamesInTheManual) {
  std::ifstream in(testing::in_source_tree("docs/job-files.md"));
  std::ostringstream page;
  page << in.rdbuf();
  for (const known_system& system : known_systems()) {
    std::istringstream words{std::string(system.everyday)};
    for (std::string word; words >> word;) {
      EXPECT_THAT(page.str(), HasSubstr(fmt::format("`{}` ({})", word, system.name)));
      EXPECT_EQ(step_type_of(word), system.name);
    }
  }
}

struct told_name {
  const char* what;
  const char* name;
  bool reader;
  dialect form;
  const char* message;  ///< A part of the only line; empty: the job is right.
};

class NameOfAnEnd : public ::testing::TestWithParam<told_name> {};

TEST_P(NameOfAnEnd, IsAnsweredWithWhatToWrite) {
  const auto& one = GetParam();
  const auto found = errors_of(one.name, one.reader, one.form);
  if (*one.message == '\0') {
    EXPECT_THAT(found.lines, ::testing::IsEmpty());
  } else {
    EXPECT_THAT(found.lines, ElementsAre(HasSubstr(one.message)));
  }
}

constexpr auto script2 = dialect::script2;
constexpr auto datax = dialect::datax;

INSTANTIATE_TEST_SUITE_P(
    Table, NameOfAnEnd,
    ::testing::Values(
        told_name{"EverydayName", "pg", true, script2,
                  "steps[0]: reader \"pg\" (postgresql) is not supported yet"},
        told_name{"EverydayNameOfAWriter", "maria", false, script2,
                  "steps[1]: writer \"maria\" (mariadb) is not supported yet"},
        told_name{"EverydayPostgres", "Postgres", true, script2,
                  "\"Postgres\" (postgresql) is not supported"},
        told_name{"RegistryType", "maxcompute", false, script2, "\"maxcompute\" (odps) is not supported yet"},
        told_name{"GuidesHologres", "hologres", false, script2, "\"hologres\" (holo) is not supported yet"},
        told_name{"AnyCase", "STREAM", true, script2, ""},
        told_name{"StepTypeInDatax", "stream", true, datax, ""},
        told_name{"ShortNameInDatax", "mysql", true, datax,
                  "job.content[0].reader: reader \"mysql\" is not supported yet"},
        told_name{"StepTypeOnlyInDatax", "kafka", false, datax, "writer \"kafka\" is not supported yet"},
        told_name{"SuffixOnAStepType", "mariadbreader", true, datax,
                  "reader \"mariadbreader\" is not supported yet"},
        told_name{"WriterAsReader", "streamwriter", true, datax,
                  "found \"streamwriter\", which names a writer, expected a reader; did you mean "
                  "\"streamreader\"?"},
        told_name{"UnknownSystemsWriterAsReader", "mysqlwriter", true, datax,
                  "did you mean \"mysqlreader\"?"},
        told_name{"DataxNameInScript", "streamreader", true, script2,
                  "steps[0].stepType: found \"streamreader\", a name of DataX files; in a 2.0 file it is "
                  "\"stream\""},
        told_name{"WrittenOnly", "selectdb", true, script2,
                  "there is no reader \"selectdb\"; SelectDB can only be written"},
        told_name{"ReadOnly", "httpfile", false, script2,
                  "there is no writer \"httpfile\"; Files over HTTP can only be read"},
        told_name{"Slip", "mysqll", true, script2, "there is no reader \"mysqll\"; did you mean \"mysql\"?"},
        told_name{"EverydayNameInDatax", "postgresreader", true, datax,
                  "reader \"postgresreader\" (postgresql) is not supported yet"},
        told_name{"SlipInDatax", "postgresqreader", true, datax, "did you mean \"postgresqlreader\"?"},
        told_name{"SlipInAnEverydayName", "mogno", true, script2, "did you mean \"mongo\"?"},
        told_name{"Nothing", "zzzzzzzzz", false, script2,
                  "there is no writer \"zzzzzzzzz\"; there are \"stream\", \"sqlite\""}),
    [](const auto& one) { return one.param.what; });

}  // namespace
}  // namespace sluice
