#include "plugins/common/relational/replica.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/common/relational/relational_options.h"
#include "plugins/mysql/mysql_url.h"

namespace sluice::relational {
namespace {

using ::testing::HasSubstr;

const options_dialect& dialect_of_test() {
  static const options_dialect made = {.product = "MySQL",
                                       .url = &mysql::url_dialect(),
                                       .rules = {.name_quote = '`'},
                                       .sample_url = "jdbc:mysql://<host>:3306/<database>",
                                       .sample_table = "`t`",
                                       .write_words = {},
                                       .write_meaning = "",
                                       .split_meaning = ""};
  return made;
}

result<reader_options> reader_of(const std::string& more, dialect d = dialect::script2,
                                 const std::string& url_more = "") {
  static const std::vector<option> described = reader_option_list(dialect_of_test());
  const std::string text = fmt::format(
      R"({{"jdbcUrl": "jdbc:mysql://primary/b{}", "username": "u", "table": "t", "column": ["*"]{}{}}})",
      url_more, more.empty() ? "" : ", ", more);
  return read_reader_options(
      {"job.json", "parameter", nlohmann::json::parse(text), std::make_shared<json_places>(), described, d},
      dialect_of_test(), [](const std::string&) {});
}

connect_options connect_of(const std::string& more, dialect d = dialect::script2) {
  const auto read = reader_of(more, d);
  EXPECT_TRUE(read) << read.error().message;
  return read ? read->parts[0].connect : connect_options{};
}

constexpr const char* replica = R"("readOnlyDBInstance": [{"host": "replica", "port": 3307}])";

TEST(replica_options, leave_any_server_to_be_read_where_nothing_is_said) {
  const connect_options c = connect_of("");
  EXPECT_EQ(c.role, server_role::any);
  EXPECT_FALSE(c.replica.looked_at);
  EXPECT_EQ(connect_of(R"("canReadPrimary": true)").role, server_role::any);
}

TEST(replica_options, read_replicas_alone_or_the_primary_behind_them) {
  const connect_options alone = connect_of(R"("useReadOnly": true)");
  EXPECT_EQ(alone.role, server_role::standby);
  EXPECT_TRUE(alone.replica.looked_at);
  EXPECT_FALSE(alone.replica.delay_max);
  EXPECT_EQ(connect_of(R"("useReadOnly": true, "canReadPrimary": true)").role, server_role::prefer_standby);
}

TEST(replica_options, read_the_replicas_of_a_data_source_unless_told_otherwise) {
  const connect_options c = connect_of(replica);
  EXPECT_EQ(c.role, server_role::standby);
  ASSERT_EQ(c.servers.size(), 2u);
  EXPECT_EQ(c.servers[0], (server_address{"replica", 3307}));
  const connect_options not_them = connect_of(fmt::format(R"({}, "useReadOnly": false)", replica));
  EXPECT_EQ(not_them.role, server_role::any);
  EXPECT_EQ(not_them.servers.size(), 1u);
}

TEST(replica_options, look_at_a_replica_where_the_job_asks_for_it) {
  EXPECT_FALSE(connect_of(R"("useReadOnly": true, "checkSlave": false)").replica.looked_at);
  EXPECT_FALSE(connect_of(R"("checkSlave": false, "slaveDelayLimit": 5)").replica.looked_at);
  EXPECT_TRUE(connect_of(R"("checkSlave": true)").replica.looked_at);
  const connect_options limited = connect_of(R"("slaveDelayLimit": 5)");
  EXPECT_TRUE(limited.replica.looked_at);
  EXPECT_EQ(limited.replica.delay_max, std::chrono::seconds(5));
  // DataX looks only where it is told to.
  EXPECT_FALSE(connect_of(R"("useReadOnly": true)", dialect::datax).replica.looked_at);
  EXPECT_TRUE(connect_of(R"("checkSlave": true)", dialect::datax).replica.looked_at);
  EXPECT_TRUE(connect_of(R"("slaveDelayLimit": 5)", dialect::datax).replica.looked_at);
}

TEST(replica_options, refuse_a_replica_of_an_address_that_asks_for_the_primary) {
  const auto read =
      reader_of(R"("useReadOnly": true)", dialect::script2, "?allowMasterDownConnections=false");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message,
              HasSubstr("useReadOnly: found true, and the address asks for the primary"));
  EXPECT_FALSE(reader_of(R"("slaveDelayLimit": -1)"));
}

TEST(a_replica, is_read_within_its_limit_and_not_beyond) {
  const replica_rule five = {.looked_at = true, .delay_max = std::chrono::seconds(5)};
  EXPECT_TRUE(check_replica("db", {.behind_s = 5.0}, five));
  const auto late = check_replica("db:1/shop", {.behind_s = 5.5}, five);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, error_kind::busy);
  EXPECT_THAT(
      late.error().message,
      HasSubstr("db:1/shop: the replica is 5.5 s behind its primary, and \"slaveDelayLimit\" allows 5 s"));
  EXPECT_FALSE(check_replica("db", {}, five));
  EXPECT_TRUE(check_replica("db", {}, {.looked_at = false, .delay_max = std::chrono::seconds(5)}));
}

TEST(a_replica, without_a_limit_needs_all_of_yesterday) {
  const replica_rule rule = {.looked_at = true};
  EXPECT_TRUE(check_replica("db", {.behind_s = 3600.0, .since_midnight_s = 3601}, rule));
  EXPECT_TRUE(check_replica("db", {.behind_s = 0.0, .since_midnight_s = 0}, rule));
  const auto late = check_replica("db", {.behind_s = 3602.0, .since_midnight_s = 3601}, rule);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, HasSubstr("it has not all of yesterday"));
  EXPECT_FALSE(check_replica("db", {}, rule));
}

}  // namespace
}  // namespace sluice::relational
