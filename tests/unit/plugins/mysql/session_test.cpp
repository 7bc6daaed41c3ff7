#include <gtest/gtest.h>

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
  EXPECT_EQ(product_of("5.1.31-mysql-server", "AnalyticDB-MySQL", false), server_product::other);
}

}  // namespace
}  // namespace sluice::mysql
