#include "plugins/postgresql/postgresql_session.h"

#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

TEST(postgresql_itself, is_what_the_server_says_and_not_what_the_job_calls_it) {
  EXPECT_TRUE(is_postgresql("PostgreSQL 15.5 (Debian 15.5-0+deb12u1) on x86_64-pc-linux-gnu"));
  EXPECT_TRUE(is_postgresql("PostgreSQL 11.9 (POLARDB 11.9)"));
  EXPECT_FALSE(is_postgresql("PostgreSQL 12.12 (Greenplum Database 7.0.0 build) on x86_64-pc-linux-gnu"));
  EXPECT_FALSE(is_postgresql("(openGauss 3.0.0 build 02c14696) compiled at 2022-04-01"));
  EXPECT_FALSE(is_postgresql("KingbaseES V008R006C008B0014 on x86_64-pc-linux-gnu"));
  EXPECT_FALSE(is_postgresql("PostgreSQL 11.2-YB-2.18.0.0-b0 on x86_64-pc-linux-gnu"));
  EXPECT_FALSE(is_postgresql("CockroachDB CCL v23.1.0 (x86_64-pc-linux-gnu)"));
  EXPECT_FALSE(is_postgresql(""));
}

}  // namespace
}  // namespace sluice::postgresql
