#include "tools/cli/secret_filter.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(secret_filter, a_secret_parameter_is_masked_wherever_its_value_turns_up) {
  const std::map<std::string, std::string> parameters = {
      {"password", "hun\"ter2"}, {"url", "x?pw=hun\"ter2"}, {"day", "20260101"}, {"token", "ab"}};
  const secret_filter mask(parameters);
  EXPECT_EQ(mask.apply(std::string("a hun\"ter2 b hun\\\"ter2 c")), "a *** b *** c");
  const auto shown = mask.apply(parameters);
  EXPECT_EQ(shown.at("password"), "***");
  EXPECT_EQ(shown.at("url"), "x?pw=***");
  EXPECT_EQ(shown.at("day"), "20260101");
  EXPECT_EQ(shown.at("token"), "***") << "too short for texts, but hidden where it stands alone";
  EXPECT_EQ(mask.apply(std::string("cab")), "cab");
}

TEST(secret_filter, a_value_inside_another_leaves_no_rest) {
  const secret_filter mask(std::map<std::string, std::string>{{"password", "abcd"}, {"secret", "abcdefgh"}});
  EXPECT_EQ(mask.apply(std::string("abcdefgh abcd")), "*** ***");
}

TEST(secret_filter, the_beginning_of_a_long_value_is_masked_where_a_message_was_cut) {
  const secret_filter mask(std::map<std::string, std::string>{{"token", "eyJhbGciOiJIUzI1NiJ9.body"}});
  EXPECT_EQ(mask.apply(std::string("token eyJhbGciOiJIUz… (25 bytes)")), "token ***… (25 bytes)");
  EXPECT_EQ(mask.apply(std::string("eyJhbGciOiJIUzI1NiJ9.body,eyJhbGci")), "***,eyJhbGci");
}

TEST(secret_filter, learns_values_that_are_looked_up_and_does_not_take_a_reference_for_one) {
  secret_filter mask(std::map<std::string, std::string>{{"password", "${env:SHOP_PW}"}});
  EXPECT_EQ(mask.apply(std::string("${env:SHOP_PW} is hunter2")), "${env:SHOP_PW} is hunter2");
  mask.add("hunter2");
  EXPECT_EQ(mask.apply(std::string("${env:SHOP_PW} is hunter2")), "${env:SHOP_PW} is ***");
}

TEST(secret_filter, the_rest_of_a_secret_that_a_server_quotes_is_masked) {
  const secret_filter mask(std::map<std::string, std::string>{{"password", "O'SEKRET1 and more"}});
  EXPECT_EQ(mask.apply(std::string("near \"SEKRET1\": syntax error")), "near \"***\": syntax error");
  EXPECT_EQ(mask.apply(std::string("near 'SEKRET1 and mo' at line 1")), "near '***' at line 1");
  EXPECT_EQ(mask.apply(std::string("near \"SEKRET12\"")), "near \"SEKRET12\"") << "another word";
  EXPECT_EQ(mask.apply(std::string("read more and more")), "read more and more");
}

TEST(secret_filter, a_value_of_asterisks_does_not_loop) {
  const secret_filter mask(std::map<std::string, std::string>{{"password", "****"}});
  EXPECT_EQ(mask.apply(std::string("x ******** y")), "x ****** y");
}

}  // namespace
}  // namespace sluice
