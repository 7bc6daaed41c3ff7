#include "jobspec/secrets.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace sluice {
namespace {

TEST(hidden_secrets, a_password_is_hidden_in_whatever_form_a_message_repeats_it) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"({"user": "u", "password": "SEKRET1", "port": 3306})",
       R"({"user": "u", "password": "***", "port": 3306})"},
      {R"({\"user\": \"u\", \"password\": \"SEKRET1\", \"port\": 1})",
       R"({\"user\": \"u\", \"password\": \"***\", \"port\": 1})"},
      {R"({"accessKeySecret":"SEKRET1"})", R"({"accessKeySecret":"***"})"},
      {R"({"password":"SEKRET1)", R"({"password":"***)"},
      {R"({"token": 1234})", R"({"token": ***})"},
      {"password=SEKRET1;x", "password=***;x"},
      {"jdbc:mysql://u:SEKRET1@h/db?password=SEKRET1&x=1", "jdbc:mysql://u:***@h/db?password=***&x=1"},
      {"jdbc:oracle:thin:u/SEKRET1@h:1521:x", "jdbc:oracle:thin:u/***@h:1521:x"},
      {"jdbc:oracle:thin:u/SEKRET1@//h:1521/x", "jdbc:oracle:thin:u/***@//h:1521/x"},
      {"jdbc:mysql://u:7/SEKRET1@h/db", "jdbc:mysql://u:***@h/db"},
      {"jdbc:mysql://u:SEK RET1@h/db", "jdbc:mysql://u:***@h/db"},
      {R"(found "jdbc:mysql://u:S?EKRET1@h/db", expected)", R"(found "jdbc:mysql://u:***@h/db", expected)"},
      {"jdbc:mysql:u:SEKRET1@h/db", "jdbc:mysql:u:***@h/db"},
      {"u:SEKRET1@h:3306", "u:***@h:3306"},
      {R"(found "u:SEKRET1@h:3306", expected)", R"(found "u:***@h:3306", expected)"},
      {"jdbc:sqlite:/f?key=SEKRET1", "jdbc:sqlite:/f?key=***"},
  };
  for (const auto& [text, shown] : rows) {
    EXPECT_EQ(hide_secrets(text), shown);
  }
}

TEST(hidden_secrets, what_is_no_secret_stays) {
  for (const std::string text :
       {"orders.json:14:22 steps[0].parameter.password: a $ in this secret is no variable",
        "give it with -p password=VALUE", R"("password" is missing: Its password.)",
        "password ${env:SHOP_PW}", R"("password": "${env:SHOP_PW}")", "jdbc:oracle:thin:@h:1521:x",
        "jdbc:mysql://h:3306/d", "jdbc:mysql://h:3306/d?user=a@b", "jdbc:mysql://h:1,[::1]:2/d?x=1&user=a@b",
        "a@b.example", "at 10:30:00 a@b", "key: value", "WHERE k = 1 AND t = 'x:y'", "password = ***"}) {
    EXPECT_EQ(hide_secrets(text), text);
  }
}

TEST(hidden_secrets, an_address_that_is_kept_loses_its_password_alone) {
  EXPECT_EQ(mask_addresses("jdbc:oracle:thin:u/SEKRET1@h:1521:x"), "jdbc:oracle:thin:u/***@h:1521:x");
  EXPECT_EQ(mask_addresses("jdbc:mysql://u:S/EKRET1@h:1/d"), "jdbc:mysql://u:***@h:1/d");
  EXPECT_EQ(mask_addresses("jdbc:mysql://h:1/d?user=a@b"), "jdbc:mysql://h:1/d?user=a@b");
  EXPECT_EQ(mask_addresses("name = 'u:p@h'"), "name = 'u:p@h'") << "a condition is kept as it is";
}

}  // namespace
}  // namespace sluice
