#include "tools/cli/network_probe.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tools/listening_socket.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using testing::closed_port;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::listening_socket;
using outcome = connection_step::outcome;

constexpr std::chrono::seconds each_max{20};

std::vector<network_place> places(const std::string& type, const std::string& properties) {
  const auto registry = datasource_registry::parse(
      "r.json",
      fmt::format(R"({{"datasources": [{{"name": "d", "type": "{}", "connectionProperties": {}}}]}})", type,
                  properties),
      "/");
  EXPECT_TRUE(registry);
  return network_places_of(registry->all().front());
}

TEST(network_places, are_those_of_every_key_that_names_a_server) {
  using p = network_place;
  EXPECT_THAT(places("mysql", R"({"address": [{"host": "a", "port": 1}, {"host": "[::1]", "port": "2"}]})"),
              ElementsAre(p{"a", 1}, p{"::1", 2}));
  EXPECT_THAT(places("doris",
                     R"({"address": [{"host": "a", "port": 1}], "loadAddress": [{"host": "b", "port": 2}]})"),
              ElementsAre(p{"a", 1}, p{"b", 2}));
  EXPECT_THAT(places("ftp", R"({"host": "f", "port": 21})"), ElementsAre(p{"f", 21}));
  EXPECT_THAT(places("elasticsearch", R"({"endpoint": "http://es:9200/x"})"), ElementsAre(p{"es", 9200}));
  EXPECT_THAT(places("s3", R"({"endpoint": "https://u:pw@s3.example/b:1"})"),
              ElementsAre(p{"s3.example", 443}));
  EXPECT_THAT(places("oss", R"({"endpoint": "oss.example"})"), ElementsAre(p{"oss.example", 443}));
  EXPECT_THAT(places("restapi", R"({"url": "http://[fd00::1]/a?b=c:1"})"), ElementsAre(p{"fd00::1", 80}));
  EXPECT_THAT(
      places("hive", R"({"metastoreUris": "thrift://m1:9083, thrift://m2", "defaultFS": "hdfs://n"})"),
      ElementsAre(p{"n", 8020}, p{"m1", 9083}, p{"m2", 9083}));
  EXPECT_THAT(places("oracle", R"({"jdbcUrl": "jdbc:oracle:thin:u/p@o:1522:X"})"), ElementsAre(p{"o", 1522}));
  EXPECT_THAT(places("oracle", R"({"jdbcUrl": "jdbc:oracle:thin:@//o/service"})"), ElementsAre(p{"o", 1521}));
  EXPECT_THAT(places("oracle", R"x({"jdbcUrl": "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=x))"})x"),
              ElementsAre());
  EXPECT_THAT(places("hologres", R"({"instanceId": "i"})"), ElementsAre());
}

TEST(network_probe, a_server_that_listens_is_reached_over_both_protocols) {
  for (const auto& [family, host, shown] :
       {std::tuple{AF_INET, "127.0.0.1", "127.0.0.1:{}"}, std::tuple{AF_INET6, "::1", "[::1]:{}"}}) {
    const listening_socket server(family);
    if (!server.works()) {
      continue;  // a machine without IPv6
    }
    const auto steps = probe_network({{host, server.port()}}, each_max, {});
    ASSERT_EQ(steps.size(), 2U);
    EXPECT_EQ(steps[0].stage, connection_stage::name_resolution);
    EXPECT_EQ(steps[0].what, outcome::passed);
    EXPECT_EQ(steps[0].found, fmt::format("{} is an address", host));
    EXPECT_EQ(steps[1].stage, connection_stage::connect);
    EXPECT_EQ(steps[1].what, outcome::passed);
    EXPECT_THAT(steps[1].found,
                HasSubstr(fmt::format(fmt::runtime(shown), server.port()) + " answers within"));
  }
}

TEST(network_probe, a_name_is_shown_with_its_addresses_and_each_is_tried) {
  const listening_socket server(AF_INET);
  const auto steps = probe_network({{"localhost", server.port()}}, each_max, {});
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_THAT(steps[0].found, AllOf(HasSubstr("localhost is "), HasSubstr("127.0.0.1")));
  EXPECT_EQ(steps[1].what, outcome::passed) << "where ::1 comes first, it is passed by: " << steps[1].found;
}

TEST(network_probe, a_closed_port_fails_to_connect) {
  const auto steps = probe_network({{"127.0.0.1", closed_port(AF_INET)}}, each_max, {});
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[1].what, outcome::failed);
  EXPECT_THAT(steps[1].found, HasSubstr("connection refused"));
  EXPECT_THAT(steps[1].advice, HasSubstr("no server listens there"));
}

TEST(network_probe, of_several_servers_one_that_answers_is_enough_to_go_on_with) {
  const listening_socket server(AF_INET);
  const auto steps =
      probe_network({{"127.0.0.1", closed_port(AF_INET)}, {"127.0.0.1", server.port()}}, each_max, {});
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[1].what, outcome::limited);
  EXPECT_THAT(steps[1].found, AllOf(HasSubstr("connection refused"), HasSubstr("answers within")));
}

/// RFC 6761: there is never such a host. Without a network the name server does not answer, which fails, too.
TEST(network_probe, an_unknown_host_fails_name_resolution_and_nothing_follows) {
  const auto steps = probe_network({{"nowhere.invalid", 1}}, std::chrono::seconds(5), {});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].stage, connection_stage::name_resolution);
  EXPECT_EQ(steps[0].what, outcome::failed);
  EXPECT_THAT(steps[0].found, HasSubstr("\"nowhere.invalid\": "));
}

TEST(network_probe, a_stop_ends_the_wait_for_an_answer) {
  stop_source stop;
  stop.fire();
  // An address kept for documentation (RFC 5737), to which no packet is answered.
  const auto steps = probe_network({{"192.0.2.1", 9}}, each_max, stop.signal());
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[1].what, outcome::failed);
}

}  // namespace
}  // namespace sluice
