#include "plugins/postgresql/postgresql_codes.h"

#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

TEST(codes, a_code_of_its_own_comes_before_its_class) {
  EXPECT_EQ(meaning_of("23505").kind, error_kind::bad_row);
  EXPECT_EQ(meaning_of("22P04").kind, error_kind::internal);
  EXPECT_EQ(meaning_of("22003").kind, error_kind::bad_row);
  EXPECT_EQ(meaning_of("42501").kind, error_kind::denied);
  EXPECT_EQ(meaning_of("42P01").kind, error_kind::bad_option);
  EXPECT_EQ(meaning_of("40P01").kind, error_kind::busy);
  EXPECT_EQ(meaning_of("53100").kind, error_kind::no_room);
  EXPECT_EQ(meaning_of("25006").kind, error_kind::denied);
  EXPECT_EQ(meaning_of("57P01").kind, error_kind::not_connected);
  EXPECT_EQ(meaning_of("P0001").kind, error_kind::bad_row);
  EXPECT_EQ(meaning_of("99999").kind, error_kind::internal);
}

TEST(codes, the_code_of_a_refused_login_is_found_in_its_text) {
  EXPECT_EQ(sqlstate_in("FATAL:  28P01: password authentication failed for user \"x\""), "28P01");
  EXPECT_EQ(sqlstate_in("SCHWERWIEGEND:  3D000: Datenbank \"x\" existiert nicht"), "3D000");
  EXPECT_EQ(sqlstate_in("could not translate host name \"x\": Name or service not known"), "");
  EXPECT_EQ(sqlstate_in("connection to server at \"::1\", port 5432 failed: Connection refused"), "");
}

TEST(codes, failures_without_a_code_are_told_apart_by_words) {
  EXPECT_EQ(meaning_of_connect_failure("SSL error: certificate verify failed").kind, error_kind::denied);
  EXPECT_EQ(meaning_of_connect_failure("Connection refused").kind, error_kind::not_connected);
  EXPECT_EQ(meaning_of_connect_failure("something new").kind, error_kind::not_connected);
}

}  // namespace
}  // namespace sluice::postgresql
