// Secrets through the whole program: each kind of reference, looked up at each connection, and seen nowhere.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/unit/tools/secretive_plugin.h"
#include "tests/unit/tools/test_folder.h"
#include "tools/cli/copy_command.h"
#include "tools/cli/datasource_command.h"
#include "tools/cli/run_command.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::server;

const std::vector<plugin>& plugins() {
  static const std::vector<plugin> all = [] {
    std::vector<plugin> list = all_plugins();
    std::erase_if(list, [](const plugin& p) { return p.name == "mysql"; });
    list.push_back(testing::secretive_plugin());
    return list;
  }();
  return all;
}

constexpr const char* planted = "pl4nted-s3cret\"\\ü-0";

struct secrets_in_the_program : ::testing::Test {
  testing::test_folder folder;
  std::map<std::string, std::string> variables;
  run_arguments arguments;
  program parts;

  void SetUp() override {
    server() = {planted, 0, {}};
    arguments.job_file = folder.file("job.json");
    arguments.state_dir = folder.file("state");
    arguments.summary_file = folder.file("summary.json");
    arguments.metrics_file = folder.file("metrics");
    arguments.datasources.file = folder.file("datasources.json");
    arguments.on_end = "cat > '" + folder.file("on-end") + "'";
    parts.variable = [this](const char* name) -> std::optional<std::string> {
      const auto at = variables.find(name);
      return at == variables.end() ? std::nullopt : std::optional(at->second);
    };
    parts.system_root = folder.file("root");
    parts.plugins = &plugins();
    parts.load = load_job;
    parts.execute = execute_run;
    parts.unix_ms = [] { return std::uint64_t{1769847300123}; };
    parts.exit_now = [] { ::_exit(exit_stopped); };
    parts.out_fd = ::open(folder.file("out").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    parts.err_fd = ::open(folder.file("err").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  }
  ~secrets_in_the_program() override {
    ::close(parts.out_fd);
    ::close(parts.err_fd);
  }

  void write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    ::unlink(folder.file(name).c_str());
    const int fd = ::open(folder.file(name).c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::fchmod(fd, mode);
    ::close(fd);
  }
  void write_job(const json& reader, mode_t mode = 0600) const {
    write("job.json",
          json{{"type", "job"},
               {"version", "2.0"},
               {"steps",
                {{{"stepType", "mysql"}, {"category", "reader"}, {"parameter", reader}},
                 {{"stepType", "stream"}, {"category", "writer"}, {"parameter", {{"print", false}}}}}},
               {"setting", {{"speed", {{"concurrent", 1}}}, {"errorLimit", {{"record", 0}}}}}}
              .dump(2),
          mode);
  }
  void write_registry(const std::string& password, mode_t mode = 0600) const {
    write("datasources.json",
          json{{"datasources",
                {{{"name", "shop"},
                  {"type", "mysql"},
                  {"connectionProperties",
                   {{"address", {{{"host", "h"}, {"port", 3306}}}},
                    {"database", "d"},
                    {"username", "reader"},
                    {"password", password}}}}}}}
              .dump(2),
          mode);
  }

  /// In a child, because signals belong to a process.
  template <class Work>
  static int in_child(const Work& work) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int code = work();
      ::_exit(HasFailure() ? 77 : code);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  int run() {
    return in_child([this] { return run_command(arguments, parts); });
  }
  [[nodiscard]] std::string err() const { return folder.get("err"); }

  /// Everything that was written but what the test planted.
  [[nodiscard]] std::string everything_written() const {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.file(""))) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && name != "datasources.json" && !name.starts_with("planted") &&
          entry.path() != folder.file("job.json")) {
        const std::string relative = std::filesystem::relative(entry.path(), folder.file("")).string();
        all += "==== " + relative + "\n" + folder.get(relative) + "\n";
      }
    }
    return all;
  }
  void expect_hidden(const std::string& value, const std::string& what) const {
    const std::string all = everything_written();
    EXPECT_THAT(all, HasSubstr("==== err")) << "something was looked at";
    const std::string in_json = json(value).dump();
    for (const std::string& form : {value, in_json.substr(1, in_json.size() - 2), value.substr(0, 12)}) {
      const std::size_t at = all.find(form);
      EXPECT_EQ(at, std::string::npos)
          << what << ": "
          << all.substr(at == std::string::npos ? 0 : at - std::min<std::size_t>(at, 300), 400);
    }
  }
  void forget() const {
    for (const char* name : {"out", "err"}) {
      EXPECT_EQ(::truncate(folder.file(name).c_str(), 0), 0);
    }
    std::filesystem::remove_all(folder.file("state"));
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> kinds() const {
    return {{"plain", planted},
            {"env", "${env:SHOP_PW}"},
            {"file", "${file:planted}"},
            {"cmd", "${cmd:cat '" + folder.file("planted") + "'}"},
            {"mixed", "pl4nted${env:REST}"}};
  }
  void plant() {
    write("planted", std::string(planted) + "\n");
    variables = {{"SHOP_PW", planted}, {"REST", std::string(planted).substr(7)}};
  }
};

TEST_F(secrets_in_the_program, of_each_kind_open_connections_and_appear_nowhere_at_any_log_level) {
  plant();
  for (const bool in_registry : {true, false}) {
    for (const auto& [kind, written] : kinds()) {
      for (const log_level level : {log_level::debug, log_level::error}) {
        for (const log_format format : {log_format::text, log_format::json}) {
          arguments.level = level;
          arguments.format = format;
          arguments.json = format == log_format::json;
          write_registry(in_registry ? written : "unused");
          // A relative file is below the registry's folder; in a job it is below the process's own.
          json reader = {{"datasource", "shop"}};
          if (!in_registry) {
            reader = {{"username", "reader"},
                      {"password", kind == "file" ? "${file:" + folder.file("planted") + "}" : written}};
          }
          write_job(reader);
          EXPECT_EQ(run(), 0) << kind << "\n" << err();
          expect_hidden(planted, kind);
          forget();
        }
      }
    }
  }
}

TEST_F(secrets_in_the_program, that_a_server_refuses_and_repeats_appear_nowhere) {
  plant();
  server().password = "another";
  for (const auto& [kind, written] : kinds()) {
    write_registry(written);
    write_job({{"datasource", "shop"}});
    EXPECT_EQ(run(), 1) << kind;
    EXPECT_THAT(err(), AllOf(HasSubstr("access denied"), HasSubstr("using password \"***"))) << kind;
    expect_hidden(planted, kind);
    forget();
  }
}

TEST_F(secrets_in_the_program, are_looked_up_at_each_connection_so_that_rotation_works) {
  for (const char* kind : {"env", "file", "cmd"}) {
    plant();
    const auto all = kinds();
    write_registry(
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == kind; })->second);
    write_job({{"datasource", "shop"}});
    const int code = in_child([this] {
      // A token for one login each.
      server().after_login = [this] {
        server().password = "rotated-password-" + std::to_string(server().logins);
        write("planted", server().password);
        variables["SHOP_PW"] = server().password;
      };
      const int ended = run_command(arguments, parts);
      EXPECT_EQ(server().logins, 5) << "the source and a reader for each of four splits";
      return ended;
    });
    EXPECT_EQ(code, 0) << kind << "\n" << err();
    EXPECT_EQ(json::parse(folder.get("summary.json"))["written"], 20);
    expect_hidden(planted, kind);
    expect_hidden("rotated-password-", kind);
    forget();
  }
}

TEST_F(secrets_in_the_program, references_that_lead_nowhere_are_named_with_their_place) {
  struct row {
    const char* written;
    std::vector<std::string> words;
  };
  const row rows[] = {
      {"${env:NOT_THERE}", {"${env:NOT_THERE}: the environment variable is not set"}},
      {"${file:not-there}", {"${file:not-there}", "is not there"}},
      {"${cmd:KEY=pl4nted-s3cret; echo bad $KEY >&2; exit 4}",
       {"${cmd:…}", "ended with status 4", "it said: bad ***"}},
      {"${cmd:true}", {"${cmd:true}", "printed nothing"}},
  };
  for (const row& r : rows) {
    write_registry(r.written);
    write_job({{"datasource", "shop"}});
    EXPECT_EQ(run(), 1) << r.written;
    for (const std::string& word : r.words) {
      EXPECT_THAT(err(), HasSubstr(word));
    }
    EXPECT_THAT(err(), HasSubstr("datasources[0].connectionProperties.password"));
    EXPECT_THAT(everything_written(), Not(HasSubstr("pl4nted")));
    forget();
  }
}

TEST_F(secrets_in_the_program, stay_hidden_where_the_job_or_the_registry_is_wrong) {
  const json right = {{"username", "reader"}, {"password", planted}};
  const auto with = [&](const char* key, const json& value) {
    json changed = right;
    changed[key] = value;
    return changed;
  };
  write_registry(planted);
  for (const json& reader :
       {with("rows", "many"), with("datasource", "nothing"), with("passwrd", "s3cret-of-a-slip"),
        with("address", planted), with("password", json::array({planted})),
        with("password", {{"x", planted}}), with("password", std::string("${env:") + planted),
        with("username", std::string("${file:") + "x}"), with("envType", 7),
        json{{"datasource", "shop"}, {"password", "inline-s3cret"}, {"rows", "x"}}}) {
    write_job(reader);
    // An unknown key is a warning only.
    EXPECT_EQ(run() == 0, reader.contains("passwrd")) << reader.dump() << err();
    const std::string all = everything_written();
    EXPECT_EQ(all.find("s3cret"), std::string::npos) << all;
    forget();
  }
  write("datasources.json",
        "{\"datasources\": [{\"name\": \"shop\", \"type\": \"mysql\", \"connectionProperties\": "
        "{\"password\": \"" +
            std::string("pl4nted-s3cret") + "\" \"x\"}}]}");
  write_job({{"datasource", "shop"}});
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(everything_written().find("s3cret"), std::string::npos) << everything_written();
}

TEST_F(secrets_in_the_program, from_parameters_stay_hidden_too) {
  arguments.parameters = {{"pw", planted}};
  write_job({{"username", "reader"}, {"password", "${pw}"}});
  EXPECT_EQ(run(), 0) << err();
  expect_hidden(planted, "parameter");
  forget();
  variables = {{"SHOP_PW", planted}};
  arguments.parameters = {{"pw", "${env:SHOP_PW}"}};
  EXPECT_EQ(run(), 0) << err();
  expect_hidden(planted, "parameter with a reference");
}

TEST_F(secrets_in_the_program, in_clear_in_a_file_that_others_may_read_draw_a_warning) {
  const auto warning_of = [&](const json& reader, mode_t job_mode, const std::string& password,
                              mode_t registry_mode) {
    write_registry(password, registry_mode);
    write_job(reader, job_mode);
    EXPECT_EQ(run(), 0) << err();
    const std::string text = err();
    forget();
    return text;
  };
  const json by_name = {{"datasource", "shop"}};
  const json in_clear = {{"username", "reader"}, {"password", "pl4nted"}};
  server().password = "pl4nted";
  variables = {{"SHOP_PW", "pl4nted"}};
  EXPECT_THAT(
      warning_of(by_name, 0644, "pl4nted", 0644),
      AllOf(HasSubstr("passwords in clear (of shop)"), HasSubstr("mode 644"), HasSubstr("chmod 600")));
  EXPECT_THAT(warning_of(by_name, 0644, "pl4nted", 0600), Not(HasSubstr("in clear")));
  EXPECT_THAT(warning_of(by_name, 0644, "${env:SHOP_PW}", 0644), Not(HasSubstr("in clear")));
  EXPECT_THAT(
      warning_of(in_clear, 0644, "x", 0600),
      AllOf(HasSubstr("steps[0].parameter.password: a secret stands in clear"), HasSubstr("mode 644")));
  EXPECT_THAT(warning_of(in_clear, 0600, "x", 0600), Not(HasSubstr("in clear")));
  arguments.parameters = {{"pw", "pl4nted"}};
  EXPECT_THAT(warning_of({{"username", "reader"}, {"password", "${pw}"}}, 0644, "x", 0600),
              Not(HasSubstr("in clear")))
      << "a parameter is not in the file";
  arguments.parameters.clear();
  write("planted", "pl4nted", 0644);
  const std::string read_by_others = warning_of(by_name, 0644, "${file:planted}", 0600);
  EXPECT_THAT(read_by_others, AllOf(HasSubstr("${file:planted}"), HasSubstr("mode 644")));
  EXPECT_EQ(read_by_others.find("chmod 600"), read_by_others.rfind("chmod 600")) << "told once";
}

TEST_F(secrets_in_the_program, the_first_line_names_data_source_and_environment) {
  plant();
  write_registry("${env:SHOP_PW}");
  write_job({{"datasource", "shop"}});
  arguments.datasources.env = datasource_env::development;
  EXPECT_EQ(run(), 0) << err();
  const std::string first = err().substr(0, err().find('\n'));
  EXPECT_THAT(first, AllOf(HasSubstr("Run "), HasSubstr("from data source \"shop\" (development, --env);")));
}

TEST_F(secrets_in_the_program, are_looked_up_by_a_test_of_the_data_source_and_hidden_there_too) {
  plant();
  for (const bool as_json : {false, true}) {
    for (const bool right : {true, false}) {
      server().password = right ? planted : "another";
      for (const auto& [kind, written] : kinds()) {
        write_registry(written);
        EXPECT_EQ(datasource_test({arguments.datasources, "shop", as_json}, parts), right ? 0 : 1) << kind;
        EXPECT_THAT(folder.get("out"), HasSubstr(right ? "logged in" : "access denied")) << kind;
        expect_hidden(planted, kind);
        forget();
      }
    }
  }
  write_registry("${env:NOT_THERE}");
  EXPECT_EQ(datasource_test({arguments.datasources, "shop", false}, parts), 1);
  EXPECT_THAT(folder.get("out"),
              AllOf(HasSubstr("password"), HasSubstr("FAILED"), HasSubstr("${env:NOT_THERE}")));
  EXPECT_THAT(err(), HasSubstr("its secrets cannot be looked up"));
  EXPECT_EQ(datasource_list({arguments.datasources, false}, parts), 0);
  EXPECT_THAT(folder.get("out"), HasSubstr("password ${env:NOT_THERE}"));
  write_registry(planted);
  EXPECT_EQ(datasource_list({arguments.datasources, false}, parts), 0);
  EXPECT_EQ(datasource_list({arguments.datasources, true}, parts), 0);
  EXPECT_THAT(folder.get("out"), HasSubstr("password in clear"));
  expect_hidden(planted, "list");
}

TEST_F(secrets_in_the_program, a_template_looks_through_a_data_source_and_holds_its_name_alone) {
  template_arguments asked{"shop:orders", "stream", dialect::script2, {}, arguments.datasources};
  variables["SHOP_PW"] = planted;
  for (const std::string& password : {std::string("${env:SHOP_PW}"), std::string(planted)}) {
    for (const dialect form : {dialect::datax, dialect::script2}) {
      ::truncate(folder.file("out").c_str(), 0);
      write_registry(password, 0644);
      asked.form = form;
      const int before = server().logins;
      EXPECT_EQ(template_command(asked, parts), 0) << err();
      EXPECT_EQ(server().logins, before + 1);
      const std::string job = folder.get("out");
      EXPECT_THAT(job, AllOf(HasSubstr("\"datasource\": \"shop\""), HasSubstr("\"table\": \"orders\""),
                             Not(HasSubstr("envType")), Not(HasSubstr("address")), Not(HasSubstr("username")),
                             Not(HasSubstr(planted))))
          << job;
    }
  }
  EXPECT_THAT(err(), HasSubstr("passwords in clear (of shop)"));
  write("job.json", folder.get("out"));
  EXPECT_EQ(run(), 0) << err();
  variables["SHOP_PW"] = "an0ther-s3cret";
  write_registry("${env:SHOP_PW}");
  EXPECT_EQ(template_command(asked, parts), 1);
  EXPECT_THAT(err(), HasSubstr("sluice: the data source \"shop\" (production): "));
  EXPECT_THAT(err(), HasSubstr("access denied for \"reader\" using password \"***\""));
  EXPECT_THAT(err(), Not(HasSubstr("an0ther-s3cret")));
  variables.clear();
  EXPECT_EQ(template_command(asked, parts), 1);
  EXPECT_THAT(err(), HasSubstr("SHOP_PW"));
}

}  // namespace
}  // namespace sluice
