#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/mysql/mysql_products.h"
#include "plugins/mysql/mysql_session_sql.h"

namespace sluice::mysql {
namespace {

TEST(server_product, is_what_the_server_says_and_not_what_the_job_calls_it) {
  EXPECT_EQ(product_of("8.0.36", "MySQL Community Server - GPL", false), server_product::mysql);
  EXPECT_EQ(product_of("5.7.28-log", "Source distribution", false), server_product::mysql);
  EXPECT_EQ(product_of("10.11.6-MariaDB", "Debian 12", true), server_product::mariadb);
  EXPECT_EQ(product_of("8.0.11-TiDB-v7.5.0", "TiDB Server (Apache License 2.0)", false),
            server_product::other);
  EXPECT_EQ(product_of("5.7.25", "OceanBase_CE 4.2.1.0", false), server_product::other);
  EXPECT_EQ(product_of("8.0.32-X-Cluster-8.4.19", "PolarDB-X", false), server_product::other);
  EXPECT_EQ(product_of("5.7.14-AliSQL-X-Cluster-1.5.1", "Source distribution", false), server_product::mysql);
  EXPECT_EQ(product_of("5.1.31-mysql-server", "AnalyticDB-MySQL", false), server_product::other);
}

TEST(server_product, of_others_is_known_by_name_and_by_whether_rows_and_marks_are_taken_back_together) {
  struct said {
    std::string_view version, comment, name;
    bool keeps_marks;
  };
  for (const said& s : std::initializer_list<said>{
           {"8.0.11-TiDB-v7.5.0", "TiDB Server (Apache License 2.0)", "TiDB", true},
           {"5.7.25-OceanBase-v4.2.1.0", "OceanBase_CE 4.2.1.0", "OceanBase", true},
           {"5.6.29-TDDL-5.4.13-16415631", "Tddl Server (ALIBABA)", "PolarDB-X (DRDS)", true},
           {"5.7.99", "Doris version doris-2.1.2-rc04-b130df2488", "Apache Doris", false},
           {"5.1.0", "StarRocks version 3.1.2-4f3a2ee", "StarRocks", false},
           {"5.1.31-mysql-server", "AnalyticDB-MySQL", "AnalyticDB for MySQL", false},
       }) {
    const other_product* other = other_product_of(s.version, s.comment);
    ASSERT_NE(other, nullptr) << s.version;
    EXPECT_EQ(other->name, s.name);
    EXPECT_EQ(other->keeps_marks, s.keeps_marks) << s.name;
    EXPECT_NE(other->keeps_marks, !other->instead.empty()) << s.name;
  }
  EXPECT_EQ(other_product_of("8.0.36", "MySQL Community Server - GPL"), nullptr);
  EXPECT_EQ(other_product_of("10.11.6-MariaDB", "Debian 12"), nullptr);
}

TEST(proxy_of, names_products_by_what_they_say) {
  EXPECT_EQ(proxy_of("8.0.32-ProxySQL", ""), "ProxySQL");
  EXPECT_EQ(proxy_of("8.0.11", "(ProxySQL)"), "ProxySQL");
  EXPECT_EQ(proxy_of("10.6.0 23.08.4-maxscale", ""), "MaxScale");
  EXPECT_EQ(proxy_of("8.0.36-router", ""), "MySQL Router");
  EXPECT_EQ(proxy_of("8.0.11-TiDB-TiProxy", ""), "TiProxy");
  EXPECT_EQ(proxy_of("8.0.36", "MySQL Community Server - GPL"), "a proxy");
}

TEST(session_names, of_long_jobs_are_cut_between_characters_and_keep_the_run) {
  EXPECT_EQ(session_title("nightly", ""), "sluice nightly");
  std::string job(63, 'j');
  EXPECT_EQ(session_title(job + "ää", "0190"), "sluice " + job + " 0190");
  EXPECT_EQ(session_title(job + "jj", "0190"), "sluice " + job + "j 0190");
}

TEST(statement_comment, ends_where_it_should_whatever_is_in_it_and_is_bounded) {
  EXPECT_EQ(statement_comment("sluice a*/ DROP 'it\n 0190", "split 3"),
            "/* sluice a__ DROP 'it_ 0190 split 3 */");
  EXPECT_EQ(statement_comment("!sluice", "x\\"), "/* _sluice x_ */");
  EXPECT_EQ(statement_comment("sluice", std::string(1000, 'x')),
            "/* sluice " + std::string(120, 'x') + " */");
}

TEST(statement_comment, stands_behind_the_first_word) {
  EXPECT_EQ(with_comment("INSERT INTO t VALUES ", "/* a */"), "INSERT /* a */ INTO t VALUES ");
  EXPECT_EQ(with_comment("SELECT\n1", "/* a */"), "SELECT /* a */\n1");
  EXPECT_EQ(with_comment("COMMIT", "/* a */"), "COMMIT /* a */");
  EXPECT_EQ(with_comment("COMMIT", ""), "COMMIT");
}

TEST(session_settings_test, the_holder_of_a_snapshot_may_idle) {
  const session_facts facts = {{server_product::mariadb, 101100, ""}, "", false, {}, {}};
  std::string all;
  for (const session_setting& s : session_settings(session_role::snapshot, facts)) {
    all += s.name + "=" + s.value + " ";
  }
  EXPECT_THAT(all, ::testing::HasSubstr("idle_transaction_timeout=0 idle_readonly_transaction_timeout=0"));
  EXPECT_THAT(all, ::testing::HasSubstr("wait_timeout=604800"));
}

}  // namespace
}  // namespace sluice::mysql
