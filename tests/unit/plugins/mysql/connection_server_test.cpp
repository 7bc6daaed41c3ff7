#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/unit/plugins/mysql/mysql_fixture.h"

namespace sluice::testing {
namespace {

using mysql::connection;
using mysql::session_role;
using relational::tls_mode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using mysql_connection_server_test = mysql_test;

error refused(const mysql::connection_plan& plan) {
  auto made = connection::open(plan, {});
  EXPECT_FALSE(made);
  return made ? error{} : made.error();
}

TEST_P(mysql_connection_server_test, sets_its_session_by_its_role) {
  auto plan = plan_for("admin", session_role::write);
  auto writer = *connection::open(plan, {});
  const auto row = *writer->ask("SELECT @@time_zone, @@character_set_results, @@sql_mode, @@autocommit", {});
  EXPECT_EQ(row[0][0], "+00:00");
  EXPECT_EQ(row[0][1], "utf8mb4");
  EXPECT_EQ(row[0][3], "0") << "nothing may commit by itself";
  EXPECT_THAT(*row[0][2], HasSubstr("STRICT_ALL_TABLES"));
  EXPECT_THAT(*row[0][2], HasSubstr("NO_BACKSLASH_ESCAPES"));
  auto reader = *connection::open(plan_for("reader", session_role::read), {});
  EXPECT_EQ((*reader->ask("SELECT @@net_write_timeout", {}))[0][0], "86400");
}

TEST_P(mysql_connection_server_test, writes_literals_that_its_session_reads_back) {
  const std::string text("it's \\ \"x\" \n\0 \xF0\x9F\x90\xAC", 18);
  for (const session_role role : {session_role::write, session_role::manage, session_role::read}) {
    auto c = *connection::open(plan_for("admin", role), {});
    const auto row = c->ask("SELECT " + c->literal(text), {});
    ASSERT_TRUE(row) << row.error().message;
    EXPECT_EQ((*row)[0][0], text);
  }
}

TEST_P(mysql_connection_server_test, knows_whether_a_session_still_lives) {
  auto other = connect();
  const std::string name = *other->session_name({});
  EXPECT_EQ(name.substr(name.find('@') + 1),
            rows("SELECT CONCAT_WS('/', @@server_id, @@hostname, @@port)")[0]);
  const std::string lock = "sluice/" + name.substr(name.find('/') + 1, name.find('@') - name.find('/') - 1);
  EXPECT_THAT(rows("SELECT IS_USED_LOCK('" + lock + "')"), ElementsAre(name.substr(0, name.find('/'))));
  EXPECT_EQ(*other->session_name({}), name);
  other.reset();
  for (int tries = 0; tries < 100 && rows("SELECT IS_USED_LOCK('" + lock + "')")[0] != "<null>"; ++tries) {
    rows("SELECT SLEEP(0.01)");
  }
  EXPECT_THAT(rows("SELECT IS_USED_LOCK('" + lock + "')"), ElementsAre("<null>"));
}

TEST_P(mysql_connection_server_test, reads_every_result_of_a_procedure) {
  sql({"CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
       "CREATE PROCEDURE fails() BEGIN SELECT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END"});
  auto c = connect();
  for (int i = 0; i < 2; ++i) {
    const auto done = c->run("CALL p()", {});
    EXPECT_TRUE(done) << done.error().message;
    const auto first = c->ask("CALL p()", {});
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ((*first)[0][0], "1");
    const auto run = c->run("CALL fails()", {});
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, "ER_SIGNAL_EXCEPTION") << run.error().message;
    const auto asked = c->ask("CALL fails()", {});
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().code, "ER_SIGNAL_EXCEPTION") << asked.error().message;
  }
}

TEST_P(mysql_connection_server_test, ends_a_statement_with_the_password_that_it_has) {
  auto plan = plan_for("admin", session_role::read);
  int resolved = 0;
  plan.resolve_secret = [&](const secret_text& text, const stop_signal& stop) {
    ++resolved;
    return plain_secret(text, stop);
  };
  auto c = *connection::open(plan, {});
  const int before = resolved;
  ASSERT_TRUE(
      c->select("SELECT 1 FROM information_schema.COLUMNS AS a, information_schema.COLUMNS AS b", {}));
  mysql::row_view row;
  ASSERT_TRUE(c->fetch(row, {}));
  c->end_select();
  EXPECT_FALSE(c->alive());
  EXPECT_EQ(resolved, before);
}

TEST_P(mysql_connection_server_test, says_of_each_refusal_what_it_is_and_never_the_password) {
  auto plan = plan_for("reader");
  plan.connect.place = "job.json:3:4 steps[0].parameter.jdbcUrl";
  plan.connect.password = *secret_text::parse("wr0ng-secret", "test");
  const error password = refused(plan);
  EXPECT_EQ(password.kind, error_kind::denied) << password.message;
  EXPECT_THAT(password.message, HasSubstr("job.json:3:4"));
  EXPECT_THAT(password.message, Not(HasSubstr("wr0ng")));

  plan = plan_for("admin");
  plan.connect.database = "no_such_db";
  EXPECT_EQ(refused(plan).kind, error_kind::bad_option);
  EXPECT_EQ(refused(plan).code, "ER_BAD_DB_ERROR");

  plan = plan_for("nothing");
  EXPECT_EQ(refused(plan).kind, error_kind::denied);

  plan = plan_for("admin");
  plan.connect.servers[0].port = 1;
  EXPECT_EQ(refused(plan).kind, error_kind::not_connected);

  plan = plan_for("admin");
  plan.connect.servers[0].host = "no-such-host.invalid";
  EXPECT_EQ(refused(plan).kind, error_kind::not_connected);
}

TEST_P(mysql_connection_server_test, takes_the_second_server_where_the_first_is_down) {
  auto plan = plan_for("admin");
  plan.connect.servers.insert(plan.connect.servers.begin(), {"127.0.0.1", 1});
  const auto c = connection::open(plan, {});
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_EQ((*c)->address().port, facts().at("port").get<int>());
}

TEST_P(mysql_connection_server_test, speaks_tls_as_it_is_asked_to) {
  const auto cipher = [](connection& c) { return (*c.ask("SHOW STATUS LIKE 'Ssl_cipher'", {}))[0][1]; };
  auto plan = plan_for("tls_only");
  plan.connect.database.clear();
  plan.connect.servers[0].host = facts().at("name");
  plan.connect.ca_file = facts().at("ca_file");
  plan.connect.tls = tls_mode::required;
  auto verified = connection::open(plan, {});
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_NE(cipher(**verified), "");

  plan.connect.ca_file = facts().at("other_ca_file");
  const error wrong = refused(plan);
  EXPECT_EQ(wrong.kind, error_kind::denied) << wrong.message;
  EXPECT_EQ(wrong.code, "CR_SSL_CONNECTION_ERROR") << wrong.message;

  plan.connect.tls = tls_mode::required_unverified;
  plan.connect.ca_file.clear();
  auto unverified = connection::open(plan, {});
  ASSERT_TRUE(unverified) << unverified.error().message;
  EXPECT_NE(cipher(**unverified), "");

  plan.connect.tls = tls_mode::off;
  EXPECT_EQ(refused(plan).kind, error_kind::denied);

  plan = plan_for("admin");
  plan.connect.tls = tls_mode::off;
  auto clear = connection::open(plan, {});
  ASSERT_TRUE(clear) << clear.error().message;
  EXPECT_EQ(cipher(**clear), "");
}

TEST_P(mysql_connection_server_test, shows_a_certificate_where_one_is_asked_for) {
  auto plan = plan_for("certified");
  plan.connect.database.clear();
  plan.connect.tls = tls_mode::required;
  plan.connect.servers[0].host = facts().at("name");
  plan.connect.ca_file = facts().at("ca_file");
  EXPECT_EQ(refused(plan).kind, error_kind::denied);
  plan.connect.cert_file = facts().at("client_cert_file");
  plan.connect.key_file = facts().at("client_key_file");
  const auto c = connection::open(plan, {});
  EXPECT_TRUE(c) << c.error().message;
}

TEST_P(mysql_connection_server_test, runs_the_jobs_session_and_names_a_wrong_one) {
  auto plan = plan_for("admin");
  plan.statements = {{"SET @x = 5", "job.json:1:2 session[0]"}};
  plan.connect.session_settings = {{"lock_wait_timeout", "7"}};
  auto c = *connection::open(plan, {});
  EXPECT_EQ((*c->ask("SELECT @x, @@lock_wait_timeout", {}))[0][0], "5");
  plan.statements = {{"SET nonsense = 5", "job.json:1:2 session[0]"}};
  EXPECT_THAT(refused(plan).message, HasSubstr("job.json:1:2 session[0]"));
  // What the engine needs overrules the job's.
  plan.statements = {{"SET time_zone = '+05:00'", "x"}, {"SET sql_mode = ''", "x"}};
  plan.role = session_role::write;
  c = *connection::open(plan, {});
  EXPECT_EQ((*c->ask("SELECT @@time_zone", {}))[0][0], "+00:00");
}

SLUICE_ON_ALL_SERVERS(mysql_connection_server_test);

}  // namespace
}  // namespace sluice::testing
