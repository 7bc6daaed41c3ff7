#include "tools/cli/datasource_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/unit/tools/listening_socket.h"
#include "tests/unit/tools/sample_plugins.h"
#include "tests/unit/tools/test_folder.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(registry_places, are_the_flag_the_variable_and_the_users_configuration) {
  std::map<std::string, std::string> variables = {{"HOME", "/h"}};
  const environment variable = [&](const char* name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
  const auto chosen = [&](const std::optional<std::string>& flag) {
    const auto places = registry_places(flag, variable);
    return chosen_place(places).path + " " + chosen_place(places).origin;
  };
  EXPECT_EQ(chosen("f.json"), "f.json --datasources");
  EXPECT_EQ(chosen({}), "/h/.config/sluice/datasources.json HOME");
  variables["XDG_CONFIG_HOME"] = "relative";
  EXPECT_EQ(chosen({}), "/h/.config/sluice/datasources.json HOME") << "relative values are ignored";
  variables["XDG_CONFIG_HOME"] = "/x";
  EXPECT_EQ(chosen({}), "/x/sluice/datasources.json XDG_CONFIG_HOME");
  variables["SLUICE_DATASOURCES"] = "/s.json";
  EXPECT_EQ(chosen({}), "/s.json SLUICE_DATASOURCES");
  EXPECT_EQ(chosen("f.json"), "f.json --datasources");
  variables.clear();
  EXPECT_EQ(chosen({}), "/etc/sluice/datasources.json default");
  variables = {{"HOME", "/h"}};
  EXPECT_EQ(looked_at_text(registry_places({}, variable)),
            "looked at: --datasources (not given), SLUICE_DATASOURCES (not set), "
            "\"/h/.config/sluice/datasources.json\" (HOME: no such file)");
}

struct datasource_command : ::testing::Test {
  testing::test_folder folder;
  program parts;
  datasource_add_arguments add;
  int pair[2] = {-1, -1};

  void SetUp() override {
    parts.variable = [](const char*) { return std::optional<std::string>(); };
    parts.plugins = &testing::sample_plugins();
    parts.out_fd = ::open(folder.file("out").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    parts.err_fd = ::open(folder.file("err").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    add.registry.file = file();
    add.name = "shop";
    add.type = "mysql";
    add.set = {{"address", "db.example:3306,other:3307"},
               {"database", "d"},
               {"username", "u"},
               {"password", "${env:PW}"}};
  }
  ~datasource_command() override {
    for (const int fd : {parts.out_fd, parts.err_fd, pair[0], pair[1]}) {
      ::close(fd);
    }
  }
  [[nodiscard]] std::string file() const { return folder.file("config/sluice/datasources.json"); }
  [[nodiscard]] json registry() const { return json::parse(folder.get("config/sluice/datasources.json")); }
  [[nodiscard]] std::string out() const { return folder.get("out"); }
  /// Standard error since the last call.
  std::string err() {
    std::string text = folder.get("err");
    EXPECT_EQ(::truncate(folder.file("err").c_str(), 0), 0);
    return text;
  }
  void answer_with(const std::string& text) {
    ASSERT_EQ(::pipe(pair), 0);
    ASSERT_EQ(::write(pair[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(pair[1]);
    pair[1] = -1;
    parts.in_fd = pair[0];
  }
};

TEST_F(datasource_command, add_makes_the_file_for_the_owner_alone) {
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  EXPECT_EQ(testing::mode_of(file()), 0600u);
  EXPECT_EQ(testing::mode_of(folder.file("config")), 0700u);
  const json entry = registry()["datasources"][0];
  EXPECT_EQ(entry["name"], "shop");
  EXPECT_FALSE(entry.contains("envType")) << "it serves both";
  EXPECT_EQ(entry["connectionProperties"]["address"],
            json::parse(R"([{"host": "db.example", "port": "3306"}, {"host": "other", "port": "3307"}])"));
  EXPECT_EQ(entry["connectionProperties"]["password"], "${env:PW}");
  EXPECT_THAT(out(), HasSubstr("sluice datasource test shop"));
}

TEST_F(datasource_command, add_keeps_the_other_entries_and_the_order_of_keys) {
  const std::string before =
      R"({"version": 1, "datasources": [{"type": "sqlite", "name": "a", "zzz": 1, "connectionProperties": {"path": "x"}}]})";
  folder.put("config/sluice/datasources.json", before);
  std::filesystem::permissions(file(), std::filesystem::perms(0644));
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  EXPECT_EQ(registry()["datasources"].size(), 2u);
  const std::string text = folder.get("config/sluice/datasources.json");
  EXPECT_LT(text.find("\"type\": \"sqlite\""), text.find("\"name\": \"a\""));
  EXPECT_LT(text.find("\"zzz\""), text.find("\"path\": \"x\"")) << "a key that is not known stays";
  EXPECT_EQ(testing::mode_of(file()), 0600u);
}

TEST_F(datasource_command, add_replaces_an_entry_only_when_told_and_only_that_variant) {
  add.registry.env = datasource_env::production;
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  add.registry.env = datasource_env::development;
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  add.set.emplace_back("database", "new");
  EXPECT_EQ(datasource_add(add, parts), 2);
  EXPECT_THAT(err(), AllOf(HasSubstr("has the data source \"shop\" for development already"),
                           HasSubstr("--replace")));
  add.replace = true;
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  ASSERT_EQ(registry()["datasources"].size(), 2u);
  EXPECT_EQ(registry()["datasources"][0]["connectionProperties"]["database"], "d");
  EXPECT_EQ(registry()["datasources"][1]["connectionProperties"]["database"], "new");
  EXPECT_EQ(registry()["datasources"][1]["envType"], "Dev");
}

TEST_F(datasource_command, add_leaves_a_file_with_comments_alone) {
  const std::string text = "// mine\n{\"datasources\": []}\n";
  folder.put("config/sluice/datasources.json", text);
  EXPECT_EQ(datasource_add(add, parts), 2);
  EXPECT_THAT(err(), AllOf(HasSubstr("has comments"), HasSubstr("--drop-comments")));
  EXPECT_EQ(folder.get("config/sluice/datasources.json"), text);
  add.drop_comments = true;
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  EXPECT_EQ(registry()["datasources"].size(), 1u);
}

TEST_F(datasource_command, add_takes_json_from_standard_input) {
  add.set.clear();
  add.properties_file = "-";
  answer_with(
      R"({"address": [{"host": "h", "port": 1}], "database": "d", "username": "u", "password": "hunter2", "envType": "Dev"})");
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  EXPECT_EQ(registry()["datasources"][0]["envType"], "Dev");
  EXPECT_EQ(registry()["datasources"][0]["connectionProperties"]["password"], "hunter2");
  EXPECT_FALSE(registry()["datasources"][0]["connectionProperties"].contains("envType"));
  EXPECT_THAT(out() + err(), Not(HasSubstr("hunter2")));
}

TEST_F(datasource_command, add_stores_whole_paths) {
  add.type = "sqlite";
  add.set = {{"path", "data/../shop.db"}};
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  EXPECT_EQ(registry()["datasources"][0]["connectionProperties"]["path"],
            (std::filesystem::current_path() / "shop.db").string());
}

TEST_F(datasource_command, add_writes_nothing_where_the_entry_would_be_wrong) {
  const auto refused = [&] {
    EXPECT_EQ(datasource_add(add, parts), 2);
    EXPECT_FALSE(std::filesystem::exists(file()));
    return err();
  };
  add.set.pop_back();
  EXPECT_THAT(refused(), HasSubstr("connectionProperties: \"password\" is missing"));
  add.set.emplace_back("password", "hunter2");
  EXPECT_THAT(refused(), AllOf(HasSubstr("can be seen by other users"), HasSubstr("${env:NAME}"),
                               Not(HasSubstr("hunter2"))));
  add.set.back().second = "${env:PW}";
  add.set.emplace_back("datbase", "x");
  EXPECT_THAT(refused(),
              AllOf(HasSubstr("the type mysql has no such key"), HasSubstr("did you mean database?")));
  add.set.back() = {"address", "nohost"};
  EXPECT_THAT(refused(), HasSubstr("expected host:port"));
  add.set.back() = {"address", "h:99999"};
  EXPECT_THAT(refused(),
              AllOf(HasSubstr("connectionProperties.address[0].port"), HasSubstr("from 1 to 65535")));
  add.type = "mysqll";
  EXPECT_THAT(refused(), HasSubstr("did you mean mysql?"));
  add.type.clear();
  EXPECT_THAT(refused(), HasSubstr("the type is missing"));
}

TEST_F(datasource_command, add_asks_at_a_terminal_for_what_is_missing_and_shows_no_secret) {
  int screen = -1;
  int line = -1;
  ASSERT_EQ(::openpty(&screen, &line, nullptr, nullptr, nullptr), 0);
  parts.in_fd = line;
  parts.in_is_terminal = true;
  const int before = parts.err_fd;
  parts.err_fd = line;
  add.name.clear();
  add.type.clear();
  add.set = {{"database", "d"}};
  std::string seen;
  std::thread person([&] {
    // Answers each question when it is there.
    const std::pair<const char*, const char*> answers[] = {
        {"name (", "shop\n"},      {"type (", "mysql\n"}, {"address (", "nohost\n"},
        {"address (", "h:3306\n"}, {"username (", "u\n"}, {"password (", "hunter2\n"}};
    std::size_t from = 0;
    for (const auto& [question, answer] : answers) {
      while (seen.find(question, from) == std::string::npos || !seen.ends_with(": ")) {
        char block[512];
        const ssize_t n = ::read(screen, block, sizeof block);
        if (n <= 0) {
          return;
        }
        seen.append(block, static_cast<std::size_t>(n));
      }
      from = seen.size();
      EXPECT_GT(::write(screen, answer, std::strlen(answer)), 0);
    }
  });
  const int code = datasource_add(add, parts);
  person.join();
  termios after{};
  ::tcgetattr(line, &after);
  EXPECT_NE(after.c_lflag & ECHO, 0u) << "the echo is back";
  // What is still on its way to the screen.
  ::fcntl(screen, F_SETFL, O_NONBLOCK);
  char rest[4096];
  const ssize_t n = ::read(screen, rest, sizeof rest);
  seen.append(rest, n > 0 ? static_cast<std::size_t>(n) : 0);
  parts.err_fd = before;
  ::close(screen);
  ::close(line);
  EXPECT_EQ(code, 0) << seen;
  EXPECT_THAT(seen, AllOf(HasSubstr("expected host:port"), HasSubstr("h:3306"), Not(HasSubstr("hunter2"))));
  EXPECT_EQ(registry()["datasources"][0]["name"], "shop");
  EXPECT_EQ(registry()["datasources"][0]["connectionProperties"]["password"], "hunter2");
}

TEST_F(datasource_command, add_without_a_name_and_a_terminal_says_what_is_missing) {
  add.name.clear();
  EXPECT_EQ(datasource_add(add, parts), 2);
  EXPECT_THAT(err(), HasSubstr("the name is missing: sluice datasource add NAME"));
}

TEST_F(datasource_command, list_shows_each_entry_with_its_state_and_where_its_secrets_come_from) {
  folder.put("config/sluice/datasources.json", R"({"datasources": [
    {"name": "shop", "type": "mysql", "envType": "Prod", "connectionProperties": {"address": [{"host": "h", "port": 1}],
     "database": "d", "username": "u", "password": "hunter2"}},
    {"name": "bad", "type": "sqlite", "connectionProperties": {}}]})");
  EXPECT_EQ(datasource_list({add.registry, false}, parts), 1);
  EXPECT_THAT(out(),
              AllOf(HasSubstr("shop  mysql   production   not supported yet  h:1/d  password in clear"),
                    HasSubstr("bad   sqlite  both         wrong"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(err(), AllOf(HasSubstr("datasources.json:4:"), HasSubstr("datasources[1]"),
                           HasSubstr("has none of \"path\""), HasSubstr("passwords in clear (of shop)")));
  EXPECT_EQ(::truncate(folder.file("out").c_str(), 0), 0);
  EXPECT_EQ(datasource_list({add.registry, true}, parts), 1);
  const json answer = json::parse(out());
  EXPECT_EQ(answer["datasources"][0]["secrets"]["password"], "***");
  EXPECT_EQ(answer["datasources"][1]["state"], "wrong");
}

TEST_F(datasource_command, a_registry_that_is_missing_is_told_with_the_places_looked_at) {
  EXPECT_EQ(datasource_list({add.registry, false}, parts), 2);
  EXPECT_THAT(err(),
              AllOf(HasSubstr("there is no registry of data sources; looked at: "),
                    HasSubstr("--datasources: no such file"), HasSubstr("SLUICE_DATASOURCES (not set)"),
                    HasSubstr("(not needed)"), HasSubstr("sluice datasource add")));
}

TEST_F(datasource_command, test_of_a_type_without_a_plugin_goes_as_far_as_the_network) {
  const testing::listening_socket server(AF_INET);
  add.set[0].second = fmt::format("127.0.0.1:{}", server.port());
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  EXPECT_EQ(datasource_test({add.registry, "shop", false}, parts), 1);
  EXPECT_THAT(out(), HasSubstr("name resolution  ok: 127.0.0.1 is an address\n"))
      << "no secret is needed for it";
  parts.variable = [](const char*) { return std::optional<std::string>("value"); };
  EXPECT_EQ(datasource_test({add.registry, "shop", false}, parts), 1);
  EXPECT_THAT(out(),
              AllOf(HasSubstr("${env:PW}: found"),
                    HasSubstr(fmt::format("connect          ok: 127.0.0.1:{} answers", server.port())),
                    HasSubstr("not tested: login and what follows: the type mysql is not supported yet")));
  EXPECT_THAT(err(), HasSubstr("not tested: login and what follows"));
  EXPECT_EQ(datasource_test({add.registry, "shp", false}, parts), 2);
  EXPECT_THAT(err(), HasSubstr("did you mean \"shop\"?"));
}

TEST_F(datasource_command, test_names_the_step_of_the_network_that_fails) {
  add.set[0].second = fmt::format("127.0.0.1:{}", testing::closed_port(AF_INET));
  EXPECT_EQ(datasource_add(add, parts), 0) << err();
  parts.variable = [](const char*) { return std::optional<std::string>("value"); };
  EXPECT_EQ(datasource_test({add.registry, "shop", false}, parts), 1);
  EXPECT_THAT(out(), AllOf(HasSubstr("connect          FAILED: 127.0.0.1:"), HasSubstr("connection refused"),
                           Not(HasSubstr("login and what follows"))));
  EXPECT_THAT(err(), HasSubstr("\"shop\": connect fails: 127.0.0.1:"));
}

/// `remove` of a registry with comments.
struct datasource_remove_command : datasource_command {
  datasource_remove_arguments remove;
  const std::string text = R"(// mine
{"datasources": [
  {"name": "shop", "type": "sqlite", "envType": "Prod", "connectionProperties": {"path": "a.db"}}, // live
  {"name": "shop", "type": "sqlite", "envType": "Dev", "connectionProperties": {"path": "b.db"}},
  {"name": "bad", "type": "nonsense"}
]}
)";
  void SetUp() override {
    datasource_command::SetUp();
    folder.put("config/sluice/datasources.json", text);
    std::filesystem::permissions(file(), std::filesystem::perms(0644));
    remove.registry.file = file();
    remove.name = "bad";
    remove.yes = true;
  }
  [[nodiscard]] std::string now() const { return folder.get("config/sluice/datasources.json"); }
};

TEST_F(datasource_remove_command, takes_the_entry_out_and_nothing_else_also_one_that_is_wrong) {
  EXPECT_EQ(datasource_remove(remove, parts), 0) << err();
  EXPECT_THAT(now(), AllOf(HasSubstr("// mine\n"), HasSubstr("}}, // live\n"), HasSubstr("b.db\"}}\n]}\n"),
                           Not(HasSubstr("nonsense"))));
  EXPECT_EQ(testing::mode_of(file()), 0600u);
  EXPECT_THAT(out(), HasSubstr("\"bad\" (nonsense, both environments) is no longer in "));
}

TEST_F(datasource_remove_command, asks_which_variant_where_there_are_several) {
  remove.name = "shop";
  EXPECT_EQ(datasource_remove(remove, parts), 2);
  EXPECT_THAT(err(),
              AllOf(HasSubstr("has 2 entries: production (--env prod, "),
                    HasSubstr("development (--env dev, "), HasSubstr("say with --env which is to go")));
  EXPECT_EQ(now(), text);
  remove.both = true;
  EXPECT_EQ(datasource_remove(remove, parts), 2);
  EXPECT_THAT(err(), HasSubstr("has no such variant; it has production"));
  remove.both = false;
  remove.registry.env = datasource_env::development;
  EXPECT_EQ(datasource_remove(remove, parts), 0) << err();
  EXPECT_THAT(now(), AllOf(HasSubstr("a.db"), Not(HasSubstr("b.db"))));
  EXPECT_THAT(out(), HasSubstr("(sqlite, development) is no longer in "));
  EXPECT_THAT(out(), HasSubstr("; that for production stays"));
  EXPECT_EQ(datasource_remove(remove, parts), 2) << "that variant is gone";
  EXPECT_THAT(err(), HasSubstr("has no such variant; it has production"));
  remove.registry.env.reset();
  EXPECT_EQ(datasource_remove(remove, parts), 0) << "the only one left needs no --env";
}

TEST_F(datasource_remove_command, tells_near_names_and_the_places_looked_at) {
  remove.name = "shp";
  EXPECT_EQ(datasource_remove(remove, parts), 2);
  EXPECT_THAT(err(), HasSubstr("did you mean \"shop\"?"));
  EXPECT_EQ(now(), text);
  remove.registry.file = folder.file("none.json");
  EXPECT_EQ(datasource_remove(remove, parts), 2);
  EXPECT_THAT(err(), HasSubstr("--datasources: no such file"));
}

TEST_F(datasource_remove_command, refuses_one_that_stands_twice_for_the_same_environment) {
  folder.put("config/sluice/datasources.json", R"({"datasources": [{"name": "bad"}, {"name": "bad"}]})");
  EXPECT_EQ(datasource_remove(remove, parts), 2);
  remove.both = true;
  EXPECT_EQ(datasource_remove(remove, parts), 2);
  EXPECT_THAT(err(), HasSubstr("stands more than once for the same environment"));
}

TEST_F(datasource_remove_command, without_yes_somebody_must_be_there_to_be_asked) {
  remove.yes = false;
  EXPECT_EQ(datasource_remove(remove, parts), 2);
  EXPECT_THAT(err(), AllOf(HasSubstr("nobody is there to ask"), HasSubstr("--yes")));
  parts.in_is_terminal = true;
  for (const char* no : {"n\n", "\n", "", "yess\n"}) {
    answer_with(no);
    EXPECT_EQ(datasource_remove(remove, parts), 1) << no;
    EXPECT_THAT(err(), AllOf(HasSubstr("Remove \"bad\" (nonsense, both environments) from "),
                             HasSubstr("sluice: nothing was removed")));
    EXPECT_EQ(now(), text);
    ::close(pair[0]);
  }
  answer_with("Yes\n");
  EXPECT_EQ(datasource_remove(remove, parts), 0) << err();
  EXPECT_NE(now(), text);
}

}  // namespace
}  // namespace sluice
