#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/common/relational/relational_options.h"
#include "plugins/mysql/mysql_url.h"

namespace sluice::relational {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const options_dialect& dialect_of_test() {
  static const options_dialect made = {
      .product = "MySQL",
      .url = &mysql::url_dialect(),
      .rules = {.name_quote = '`', .double_quoted_texts = true, .backslash_escapes = true},
      .sample_url = "jdbc:mysql://<host>:3306/<database>",
      .sample_table = "`t`, `db.t`",
      .write_words = {{"insert", write_mode::insert},
                      {"insert into", write_mode::insert},
                      {"update", write_mode::update},
                      {"update(…)", write_mode::update},
                      {"insert ignore", write_mode::ignore}},
      .write_meaning = "How.",
      .split_meaning = "Well.",
      .fetch_rows = 512,
      .fetch_rows_datax = 1000,
      .batch_rows = 256,
      .batch_rows_datax = 2048};
  return made;
}

option_values values_of(const char* text, const std::vector<option>& described, dialect d) {
  return {"job.json", "parameter", nlohmann::json::parse(text), std::make_shared<json_places>(), described,
          d};
}

struct read_reader {
  result<reader_options> options = reader_options{};
  std::vector<std::string> warnings;
};

read_reader reader_of(const char* text, dialect d = dialect::script2, bool strict = false) {
  static const std::vector<option> described = reader_option_list(dialect_of_test());
  read_reader out;
  out.options = read_reader_options(
      values_of(text, described, d), dialect_of_test(),
      [&](std::string w) { out.warnings.push_back(std::move(w)); }, strict);
  return out;
}

result<writer_options> writer_of(const char* text, dialect d = dialect::script2) {
  static const std::vector<option> described = writer_option_list(dialect_of_test());
  return read_writer_options(values_of(text, described, d), dialect_of_test(), [](const std::string&) {});
}

std::vector<std::string> tables_of(const database_part& part) {
  std::vector<std::string> out;
  for (const placed_text& table : part.tables) {
    out.push_back(table.text);
  }
  return out;
}

TEST(attempts_to_connect, take_servers_in_order_and_those_of_the_role_that_is_preferred_first) {
  const auto shown = [](connect_options o, std::size_t turn = 0) {
    std::string out;
    for (const auto& [server, role] : attempts_of(o, turn)) {
      out += fmt::format("{}{}{}", out.empty() ? "" : " ", server.host,
                         role == server_role::any       ? ""
                         : role == server_role::primary ? "=primary"
                                                        : "=standby");
    }
    return out;
  };
  connect_options o;
  EXPECT_EQ(shown(o), "");
  o.servers = {{"a", 1}, {"b", 2}, {"c", 3}};
  EXPECT_EQ(shown(o, 2), "a b c");
  o.any_order = true;
  EXPECT_EQ(shown(o, 4), "b c a");
  o.any_order = false;
  o.role = server_role::primary;
  EXPECT_EQ(shown(o), "a=primary b=primary c=primary");
  o.role = server_role::prefer_standby;
  EXPECT_EQ(shown(o), "a=standby b=standby c=standby a b c");
}

constexpr const char* account = R"("username": "u", "password": "p")";

TEST(relational_reader, takes_the_flat_form_and_the_defaults_of_its_dialect) {
  const auto read = reader_of(R"({"jdbcUrl": "jdbc:mysql://db1/shop", "username": "u", "password": "p",
    "table": "orders", "column": ["id", "name"], "where": " a > 1 ;； ", "splitPk": "`id`"})");
  ASSERT_TRUE(read.options) << read.options.error().message;
  const reader_options& o = *read.options;
  ASSERT_EQ(o.parts.size(), 1u);
  EXPECT_EQ(to_text(o.parts[0].connect), "db1:3306/shop as u");
  EXPECT_THAT(tables_of(o.parts[0]), ElementsAre("orders"));
  EXPECT_EQ(o.columns.size(), 2u);
  EXPECT_EQ(o.columns[1].place, "job.json parameter.column[1]");
  EXPECT_FALSE(o.all_columns);
  EXPECT_EQ(o.where, "a > 1");
  EXPECT_EQ(o.split_pk, "id");
  EXPECT_EQ(o.split_factor, 5u);
  EXPECT_EQ(o.fetch_rows, 512u);
  EXPECT_TRUE(read.warnings.empty());
}

TEST(relational_reader, takes_the_form_of_datax_with_several_addresses_and_tables) {
  const auto read = reader_of(R"({"username": "u", "password": "p", "column": ["*"], "connection": [
      {"jdbcUrl": ["jdbc:mysql://db1/a?connectTimeout=100", "jdbc:mysql://db2/a?connectTimeout=100"], "table": ["t_[0-2]", "x,y"]},
      {"jdbcUrl": ["jdbc:mysql://db3/b"], "table": ["t"], "username": "v", "password": "q"}]})",
                              dialect::datax);
  ASSERT_TRUE(read.options) << read.options.error().message;
  const reader_options& o = *read.options;
  ASSERT_EQ(o.parts.size(), 2u);
  EXPECT_EQ(to_text(o.parts[0].connect), "db1:3306, db2:3306/a as u");
  EXPECT_EQ(o.parts[0].connect.connect_timeout.count(), 100);
  EXPECT_THAT(tables_of(o.parts[0]), ElementsAre("t_0", "t_1", "t_2", "x", "y"));
  EXPECT_EQ(to_text(o.parts[1].connect), "db3:3306/b as v");
  EXPECT_TRUE(o.all_columns);
  EXPECT_EQ(o.fetch_rows, 1000u);
}

TEST(relational_reader, takes_what_a_registry_entry_says) {
  const auto read =
      reader_of(R"({"address": [{"host": "db1", "port": 3307}, {"host": "[::1]", "port": "3308"}],
    "database": "shop", "username": "u", "password": "p", "securityProtocol": "AuthTypeSsl",
    "truststoreFile": "/ca.pem", "keystoreFile": "/me.pem", "keystorePassword": "k",
    "properties": {"connectTimeout": 250, "zeroDateTimeBehavior": "convertToNull", "frob": 1},
    "table": "t", "column": ["*"]})");
  ASSERT_TRUE(read.options) << read.options.error().message;
  const connect_options& c = read.options->parts[0].connect;
  EXPECT_EQ(to_text(c), "db1:3307, [::1]:3308/shop as u");
  EXPECT_EQ(c.tls, tls_mode::required);
  EXPECT_EQ(c.ca_file, "/ca.pem");
  EXPECT_EQ(c.cert_file, "/me.pem");
  EXPECT_TRUE(c.key_password.has_value());
  EXPECT_EQ(c.connect_timeout.count(), 250);
  EXPECT_EQ(read.options->option_default("zeroDate"), "null");
  EXPECT_THAT(read.warnings, ElementsAre(HasSubstr("parameter.properties.frob: the property \"frob\"")));
}

TEST(relational_reader, refuses_a_store_of_java_with_the_command_that_converts_it) {
  const auto read =
      reader_of(R"({"address": [{"host": "db1", "port": 3307}], "username": "u", "password": "p",
    "securityProtocol": "authTypeSsl", "truststoreFile": "/etc/trust.jks", "table": "t", "column": ["*"]})");
  ASSERT_FALSE(read.options);
  EXPECT_THAT(
      read.options.error().message,
      HasSubstr("parameter.truststoreFile: found \"/etc/trust.jks\", a store of Java's; expected a PEM file, "
                "which this makes of it: keytool -list -rfc -keystore '/etc/trust.jks' > '/etc/trust.pem'"));
}

TEST(relational_reader, gives_an_address_of_the_registry_no_account_of_the_job) {
  const auto read = reader_of(R"({"username": "u", "password": "p", "column": ["*"], "table": "t",
    "connection": [{"address": [{"host": "db1", "port": 3307}]}]})");
  ASSERT_FALSE(read.options);
  EXPECT_THAT(read.options.error().message, HasSubstr("no user is named"));
}

TEST(relational_reader, asks_for_own_accounts_where_the_job_says_so) {
  const auto read =
      reader_of(R"({"username": "u", "password": "p", "column": ["*"], "table": "t", "useSpecialSecret": true,
    "connection": [{"jdbcUrl": "jdbc:mysql://a/b", "username": "v", "password": "q"}, {"jdbcUrl": "jdbc:mysql://c/d"}]})");
  ASSERT_FALSE(read.options);
  EXPECT_THAT(read.options.error().message, HasSubstr("connection[1].username"));
}

TEST(relational_reader, counts_what_stands_outside_for_each_entry_that_does_not_say_it) {
  for (const dialect d : {dialect::script2, dialect::datax}) {
    const auto read = reader_of(R"({"username": "u", "password": "p", "column": ["*"], "table": "t",
    "database": "a", "port": 3307, "securityProtocol": "authTypeSsl", "truststoreFile": "/ca.pem",
    "properties": {"connectTimeout": 250, "socketTimeout": 9000, "frob": 1}, "connection": [
      {"jdbcUrl": "jdbc:mysql://db1/"},
      {"jdbcUrl": "jdbc:mysql://db2/a", "properties": {"CONNECTTIMEOUT": 70}},
      {"host": "db3", "database": "b", "truststoreFile": "/mine.pem"},
      {"jdbcUrl": "jdbc:mysql://db4/a", "securityProtocol": "authTypeNone"}]})",
                                d);
    ASSERT_TRUE(read.options) << read.options.error().message;
    const auto& parts = read.options->parts;
    ASSERT_EQ(parts.size(), 4u);
    EXPECT_EQ(to_text(parts[0].connect), "db1:3306/a as u");
    EXPECT_EQ(to_text(parts[1].connect), "db2:3306/a as u");
    EXPECT_EQ(to_text(parts[2].connect), "db3:3307/b as u");
    EXPECT_EQ(parts[0].connect.connect_timeout.count(), 250);
    EXPECT_EQ(parts[1].connect.connect_timeout.count(), 70);
    EXPECT_EQ(parts[1].connect.socket_timeout.count(), 9000);
    EXPECT_EQ(parts[0].connect.ca_file, "/ca.pem");
    EXPECT_EQ(parts[1].connect.tls, tls_mode::required);
    EXPECT_EQ(parts[2].connect.ca_file, "/mine.pem");
    EXPECT_EQ(parts[3].connect.tls, tls_mode::prefer_none);
    EXPECT_THAT(read.warnings, ElementsAre(HasSubstr("parameter.properties.frob: the property \"frob\"")))
        << "once, though it counts for each entry";
  }
}

TEST(relational_reader, counts_what_an_entry_says_beside_an_address_outside) {
  const auto read = reader_of(R"({"host": "db1", "username": "u", "password": "p", "column": ["*"],
    "connection": [{"database": "a", "table": "t", "properties": {"connectTimeout": 70}},
                   {"database": "b", "port": 3307, "table": "t", "securityProtocol": "authTypeSsl"}]})");
  ASSERT_TRUE(read.options) << read.options.error().message;
  const auto& parts = read.options->parts;
  EXPECT_EQ(to_text(parts[0].connect), "db1:3306/a as u");
  EXPECT_EQ(parts[0].connect.connect_timeout.count(), 70);
  EXPECT_EQ(to_text(parts[1].connect), "db1:3307/b as u");
  EXPECT_EQ(parts[1].connect.tls, tls_mode::required);
  EXPECT_TRUE(read.warnings.empty());
}

TEST(relational_reader, gives_an_address_of_the_registry_nothing_from_outside_and_says_so) {
  const auto read = reader_of(R"({"username": "u", "password": "p", "column": ["*"], "table": "t",
    "securityProtocol": "authTypeSsl", "properties": {"connectTimeout": 250}, "connection": [
      {"address": [{"host": "db1", "port": 3307}], "username": "v", "password": "q", "database": "a"}]})");
  ASSERT_TRUE(read.options) << read.options.error().message;
  EXPECT_EQ(read.options->parts[0].connect.tls, tls_mode::prefer_none);
  EXPECT_EQ(read.options->parts[0].connect.connect_timeout.count(), 10'000);
  EXPECT_THAT(read.warnings, ElementsAre(HasSubstr("job.json parameter.username: has no effect: each entry"),
                                         HasSubstr("parameter.password: has no effect"),
                                         HasSubstr("parameter.properties: has no effect"),
                                         HasSubstr("parameter.securityProtocol: has no effect")));
}

TEST(relational_reader, warns_of_keys_that_connect_and_stand_on_the_wrong_level) {
  const auto read = reader_of(R"({"host": "db9", "password": "p", "column": ["*"], "table": "t",
    "database": "b", "readOnlyDBInstance": [{"host": "r", "port": 1}], "connection": [
      {"jdbcUrl": "jdbc:mysql://db1/a", "username": "v", "socketTimeout": 5, "useSpecialSecret": true,
       "envType": 1}]})");
  ASSERT_TRUE(read.options) << read.options.error().message;
  EXPECT_EQ(to_text(read.options->parts[0].connect), "db1:3306/a as v");
  EXPECT_FALSE(read.options->parts[0].connect.password);
  EXPECT_THAT(
      read.warnings,
      ElementsAre(HasSubstr("connection[0].envType: has no effect inside of \"connection\""),
                  HasSubstr("connection[0].socketTimeout: has no effect inside"),
                  HasSubstr("connection[0].useSpecialSecret: has no effect inside"),
                  HasSubstr("parameter.host: has no effect"), HasSubstr("parameter.password: has no effect"),
                  HasSubstr("parameter.readOnlyDBInstance: has no effect"),
                  HasSubstr("parameter.database: has no effect on job.json "
                            "parameter.connection[0].jdbcUrl, which names the database \"a\"")));
}

TEST(relational_reader, uses_files_of_tls_where_it_is_asked_for_and_tells_where_it_is_not) {
  const auto with = [](const std::string& more) {
    return reader_of(fmt::format(R"({{"username": "u", "password": "p", "column": ["*"], "table": "t",
      "truststoreFile": "/ca.pem", "keystoreFile": "/me.pem", {}}})",
                                 more)
                         .c_str());
  };
  for (const char* more : {R"("jdbcUrl": "jdbc:mysql://db1/a")",
                           R"("jdbcUrl": "jdbc:mysql://db1/a", "securityProtocol": "authTypeNone")"}) {
    const auto read = with(more);
    ASSERT_TRUE(read.options) << read.options.error().message;
    EXPECT_EQ(read.options->parts[0].connect.ca_file, "");
    EXPECT_THAT(
        read.warnings,
        ElementsAre(HasSubstr("parameter.truststoreFile: has no effect, because TLS is not asked for; "
                              "set \"securityProtocol\" to \"authTypeSsl\""),
                    HasSubstr("parameter.keystoreFile: has no effect")))
        << more;
  }
  const auto verified = with(R"("jdbcUrl": "jdbc:mysql://db1/a?sslMode=VERIFY_IDENTITY")");
  ASSERT_TRUE(verified.options) << verified.options.error().message;
  EXPECT_EQ(verified.options->parts[0].connect.ca_file, "/ca.pem");
  EXPECT_EQ(verified.options->parts[0].connect.cert_file, "/me.pem");
  EXPECT_THAT(verified.warnings, ElementsAre());
  const auto unverified = with(R"("jdbcUrl": "jdbc:mysql://db1/a?sslMode=REQUIRED")");
  ASSERT_TRUE(unverified.options) << unverified.options.error().message;
  EXPECT_EQ(unverified.options->parts[0].connect.cert_file, "/me.pem");
  EXPECT_THAT(unverified.warnings,
              ElementsAre(HasSubstr("truststoreFile: has no effect, because TLS is required, unverified")));
}

TEST(relational_reader, refuses_two_databases_beside_each_other) {
  const auto two = reader_of(R"({"username": "u", "password": "p", "column": ["*"], "table": "t",
    "jdbcUrl": "jdbc:mysql://db1/a", "database": "b"})");
  ASSERT_FALSE(two.options);
  EXPECT_THAT(
      two.options.error().message,
      HasSubstr("parameter.database: found \"b\", and \"jdbcUrl\" beside it names the database \"a\"; "
                "leave one of them out"));
  const auto same = reader_of(R"({"username": "u", "password": "p", "column": ["*"], "table": "t",
    "jdbcUrl": "jdbc:mysql://db1/a", "database": "a"})");
  ASSERT_TRUE(same.options) << same.options.error().message;
  EXPECT_EQ(to_text(same.options->parts[0].connect), "db1:3306/a as u");
}

TEST(relational_reader, warns_of_keys_that_name_the_server_a_second_time) {
  const auto read = reader_of(R"({"username": "u", "password": "p", "column": ["*"], "table": "t",
    "jdbcUrl": "jdbc:mysql://db1/a", "host": "db2", "port": 3307})");
  ASSERT_TRUE(read.options) << read.options.error().message;
  EXPECT_EQ(to_text(read.options->parts[0].connect), "db1:3306/a as u");
  EXPECT_THAT(
      read.warnings,
      ElementsAre(HasSubstr("parameter.host: has no effect beside \"jdbcUrl\", which names the server"),
                  HasSubstr("parameter.port: has no effect beside")));
}

TEST(relational_reader, takes_queries_in_place_of_tables) {
  const auto read = reader_of(fmt::format(R"({{"jdbcUrl": "jdbc:mysql://a/b", {}, "table": "t",
    "querySql": ["SELECT 1;", " SELECT 2 "]}})",
                                          account)
                                  .c_str());
  ASSERT_TRUE(read.options) << read.options.error().message;
  EXPECT_TRUE(read.options->queries);
  ASSERT_EQ(read.options->parts[0].queries.size(), 2u);
  EXPECT_EQ(read.options->parts[0].queries[0].text, "SELECT 1");
  EXPECT_EQ(read.options->parts[0].queries[1].text, "SELECT 2");
  EXPECT_TRUE(read.options->parts[0].tables.empty());
}

TEST(relational_reader, refuses_queries_beside_tables_as_datax_does) {
  const auto read = reader_of(
      R"({"username": "u", "password": "p", "connection": [{"jdbcUrl": ["jdbc:mysql://a/b"], "table": ["t"], "querySql": ["SELECT 1"]}]})",
      dialect::datax);
  ASSERT_FALSE(read.options);
  EXPECT_THAT(read.options.error().message, HasSubstr("found \"table\" beside \"querySql\""));
}

TEST(relational_reader, tells_all_mistakes_at_once) {
  const auto read = reader_of(
      R"({"connection": [{"jdbcUrl": "jdbc:pg://a/b", "table": "t"}, {"jdbcUrl": "jdbc:mysql://a/b", "table": "t[1"}],
    "username": "u", "column": ["*", "a"], "splitPk": "a, b", "session": ["COMMIT", "use shard_1"]})");
  ASSERT_FALSE(read.options);
  const std::string& message = read.options.error().message;
  for (const char* part :
       {"connection[0].jdbcUrl: found \"jdbc:pg://a/b\"; expected \"jdbc:mysql://",
        "connection[1].table: found \"t[1\"; expected a table's name, or a range",
        "column: found \"*\" beside other columns", "splitPk: found \"a, b\", expected one column",
        "session[0]: found \"COMMIT\"; transactions are the engine's own",
        "session[1]: found \"use shard_1\"; tables without a database are those of the address"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
}

TEST(relational_reader, refuses_what_is_missing_or_given_twice) {
  struct expectation {
    const char* text;
    const char* message;
  };
  for (
      const expectation& e : std::initializer_list<expectation>{
          {R"({"username": "u", "table": "t", "column": ["*"]})", "the server is not named; set \"jdbcUrl\""},
          {R"({"jdbcUrl": "jdbc:mysql://a/b", "table": "t", "column": ["*"]})", "no user is named"},
          {R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "column": ["*"]})",
           "no table is named; set \"table\" or \"querySql\""},
          {R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": "t"})", "no column is named"},
          {R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": ["t1", "t[0-2]"], "column": ["*"]})",
           "table \"t1\" is named twice"},
          {R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": "a..b", "column": ["*"]})",
           "found \"a..b\"; expected `t`, `db.t`"},
          {R"({"username": "u", "column": ["*"], "connection": [{"jdbcUrl": "jdbc:mysql://a/b", "table": "t"}, {"jdbcUrl": "jdbc:mysql://a/b", "querySql": "SELECT 1"}]})",
           "some entries have \"querySql\" and some \"table\""}}) {
    const auto read = reader_of(e.text);
    ASSERT_FALSE(read.options) << e.text;
    EXPECT_EQ(read.options.error().kind, error_kind::bad_option);
    EXPECT_THAT(read.options.error().message, HasSubstr(e.message));
  }
}

TEST(relational_reader, warns_of_the_keys_that_it_knows_and_that_have_no_effect) {
  const auto read = reader_of(
      R"({"jdbcUrl": "jdbc:mysql://db1/shop", "username": "u", "password": "p", "table": "t", "column": ["*"],
"hint": "/*+ x */", "masterSlave": "slave"})");
  EXPECT_THAT(read.warnings, ElementsAre(HasSubstr("parameter.hint: has no effect; write the hint into"),
                                         HasSubstr("parameter.masterSlave: has no effect; say with")));
}

TEST(relational_reader, takes_a_negative_fetch_size_for_the_default) {
  const auto read = reader_of(
      R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": "t", "column": ["*"], "fetchSize": -2147483648})");
  ASSERT_TRUE(read.options) << read.options.error().message;
  EXPECT_EQ(read.options->fetch_rows, 512u);
}

TEST(relational_writer, takes_its_options_with_their_places_and_defaults) {
  const auto read =
      writer_of(R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": "t", "column": ["a"],
    "writeMode": "INSERT Ignore", "preSql": ["", "DELETE FROM @table"], "postSql": "SELECT 1", "createTable": "true"})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->mode, write_mode::ignore);
  ASSERT_EQ(read->pre_sql.size(), 1u);
  EXPECT_EQ(with_table(read->pre_sql[0].text, "`t`"), "DELETE FROM `t`");
  EXPECT_EQ(read->pre_sql[0].place, "job.json parameter.preSql[1]");
  EXPECT_EQ(read->post_sql.size(), 1u);
  EXPECT_TRUE(read->create_table);
  EXPECT_FALSE(read->empty_as_null);
  EXPECT_EQ(read->batch_rows, 256u);
  EXPECT_EQ(read->table().text, "t");
}

TEST(relational_writer, has_the_defaults_of_datax_in_its_dialect) {
  const auto read = writer_of(
      R"({"username": "u", "password": "p", "column": ["a"], "connection": [{"jdbcUrl": "jdbc:mysql://a/b", "table": ["t"]}]})",
      dialect::datax);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->batch_rows, 2048u);
  EXPECT_TRUE(read->empty_as_null);
}

TEST(relational_writer, refuses_several_tables_other_modes_and_own_transactions) {
  const auto read =
      writer_of(R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": "t[0-1]", "column": ["a"],
    "preSql": ["BEGIN"]})");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("found 2 tables to write to, expected one"));
  EXPECT_THAT(read.error().message,
              HasSubstr("preSql[0]: found \"BEGIN\"; each statement runs in a transaction of Sluice's own"));
  const auto mode = writer_of(
      R"({"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": "t", "column": ["a"], "writeMode": "copy"})");
  ASSERT_FALSE(mode);
  EXPECT_THAT(mode.error().message, HasSubstr("writeMode: found \"copy\", expected"));
  const auto of_words = [](std::string_view words) {
    return writer_of(fmt::format(R"({{"jdbcUrl": "jdbc:mysql://a/b", "username": "u", "table": "t",
      "column": ["a"], "writeMode": "{}"}})",
                                 words)
                         .c_str());
  };
  for (const std::string_view words : {"update(v)", "UPDATE (id, v) ", "update()", "update"}) {
    const auto by_words = of_words(words);
    ASSERT_TRUE(by_words.has_value()) << by_words.error().message;
    EXPECT_EQ(by_words->mode, write_mode::update) << words;
  }
  for (const std::string_view words : {"update(v", "updates(v)", "insert(v)"}) {
    EXPECT_FALSE(of_words(words).has_value()) << words;
  }
}

TEST(relational_options, tables_are_split_by_themselves_where_the_job_or_its_dialect_says_so) {
  constexpr const char* plain =
      R"({"jdbcUrl": "jdbc:mysql://h/d", "username": "u", "table": "t", "column": ["*"]})";
  constexpr const char* automatic =
      R"({"jdbcUrl": "jdbc:mysql://h/d", "username": "u", "table": "t", "column": ["*"], "splitMode": "auto"})";
  EXPECT_EQ(reader_of(plain).options->split, split_mode::none);
  EXPECT_EQ(reader_of(automatic).options->split, split_mode::automatic);
  EXPECT_EQ(reader_of(plain, dialect::datax).options->split, split_mode::automatic);
  EXPECT_EQ(reader_of(plain, dialect::datax, true).options->split, split_mode::none);
  EXPECT_EQ(reader_of(automatic, dialect::datax, true).options->split, split_mode::automatic);
}

}  // namespace
}  // namespace sluice::relational
