#include "plugins/mysql/mysql_codes.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

TEST(mysql_codes_test, knows_what_numbers_mean) {
  EXPECT_EQ(meaning_of(1062, "23000", "").kind, error_kind::bad_row);
  EXPECT_EQ(meaning_of(1062, "23000", "").name, "ER_DUP_ENTRY");
  EXPECT_EQ(meaning_of(1045, "28000", "").kind, error_kind::denied);
  EXPECT_EQ(meaning_of(1213, "40001", "").kind, error_kind::busy);
  EXPECT_EQ(meaning_of(2013, "HY000", "").kind, error_kind::not_connected);
  EXPECT_EQ(meaning_of(1114, "HY000", "The table 't' is full").kind, error_kind::no_room);
  EXPECT_EQ(meaning_of(3, "HY000", "Error writing file (Errcode: 28)").kind, error_kind::no_room);
  EXPECT_EQ(meaning_of(4031, "HY000", "").name, "ER_CLIENT_INTERACTION_TIMEOUT");
}

TEST(mysql_codes_test, tells_a_full_disk_from_another_failure_of_the_engine) {
  EXPECT_EQ(meaning_of(1030, "HY000", "Got error 28 \"No space left on device\" from storage engine").kind,
            error_kind::no_room);
  EXPECT_EQ(meaning_of(1030, "HY000", "Got error 168 from storage engine").kind, error_kind::not_supported);
}

TEST(mysql_codes_test, knows_a_tenant_of_oceanbase_in_oracle_mode) {
  const code_meaning tenant =
      meaning_of(1235, "0A000", "Oracle tenant for current client driver is not supported");
  EXPECT_EQ(tenant.kind, error_kind::not_supported);
  EXPECT_NE(tenant.advice.find("in MySQL mode"), std::string::npos);
  EXPECT_EQ(meaning_of(1235, "42000", "This version doesn't yet support it").advice, "");
}

TEST(mysql_codes_test, goes_by_the_state_where_a_number_is_unknown) {
  EXPECT_EQ(meaning_of(9999, "23505", "").kind, error_kind::bad_row);
  EXPECT_EQ(meaning_of(9999, "42S99", "").kind, error_kind::bad_option);
  EXPECT_EQ(meaning_of(9999, "HY000", "").kind, error_kind::not_supported);
  EXPECT_EQ(meaning_of(9999, "HY000", "").name, "ER_9999");
}

TEST(mysql_codes_test, takes_a_triggers_refusal_as_the_rows) {
  EXPECT_EQ(meaning_of(1644, "45000", "no").kind, error_kind::bad_row);
  EXPECT_EQ(meaning_of(1146, "45000", "no").kind, error_kind::bad_row);
}

TEST(mysql_codes_test, finds_the_column_in_a_message) {
  EXPECT_EQ(column_in_message("Data too long for column 'a b' at row 1"), "a b");
  EXPECT_EQ(column_in_message("Column 'id' cannot be null"), "id");
  EXPECT_EQ(column_in_message("Field 'x' doesn't have a default value"), "x");
  EXPECT_EQ(column_in_message("Incorrect integer value: 'x' for column `d`.`t`.`c` at row 1"), "c");
  EXPECT_EQ(column_in_message("Incorrect string value: ' for column 'z'' for column `d`.`t`.`c` at row 7"),
            "c");
  EXPECT_EQ(column_in_message("Out of range value for column `c"), "");
  EXPECT_EQ(column_in_message("Data too long for column 'a`b'c' at row 1"), "a`b'c");
  EXPECT_EQ(column_in_message("Incorrect integer value: 'x' for column `d`.`t`.`a`b'` at row 1"), "a`b'");
  EXPECT_EQ(column_in_message("Column 'it's' cannot be null"), "it's");
  EXPECT_EQ(column_in_message("Field 'it's' doesn't have a default value"), "it's");
  EXPECT_EQ(column_in_message("Invalid JSON text: \"x\" at position 0 in value for column 't.j'."), "t.j");
  EXPECT_EQ(column_in_message("CONSTRAINT `c` failed for `d`.`t`"), "");
  EXPECT_EQ(column_in_message("Duplicate entry 'x for column `id` at row 1' for key 'v'"), "");
  EXPECT_EQ(column_in_message(""), "");
}

TEST(mysql_codes_test, finds_the_key_in_a_message) {
  EXPECT_EQ(key_in_message("Duplicate entry '1' for key 'PRIMARY'"), "PRIMARY");
  EXPECT_EQ(key_in_message("Duplicate entry '1-for key 'x'' for key 't.by_name'"), "by_name");
  EXPECT_EQ(key_in_message("Duplicate entry '1' for key 'u`it's'"), "u`it's");
  EXPECT_EQ(key_in_message("Duplicate entry"), "");
}

TEST(mysql_codes_test, finds_the_columns_of_a_foreign_key_in_a_message) {
  EXPECT_EQ(foreign_key_in_message(
                "Cannot add or update a child row: a foreign key constraint fails (`d`.`t`, CONSTRAINT `f` "
                "FOREIGN KEY (`a`, `b c`) REFERENCES `p` (`x`, `y`))"),
            "a, b c");
  const std::string_view odd =
      "Cannot add or update a child row: a foreign key constraint fails (`d`.`c``1`, CONSTRAINT `k`` FOREIGN "
      "KEY (``z`` for column 'x` FOREIGN KEY (`a``b`, `c), (``q`) REFERENCES `p``1` (`x`))";
  EXPECT_EQ(foreign_key_in_message(odd), "a`b, c), (`q");
  EXPECT_EQ(column_in_message(odd), "");
  EXPECT_EQ(foreign_key_in_message(odd.substr(0, odd.find(") REFERENCES"))), "") << "cut off";
  EXPECT_EQ(foreign_key_in_message("Cannot add or update a child row: FOREIGN KEY (`a"), "");
  EXPECT_EQ(foreign_key_in_message("Duplicate entry ' FOREIGN KEY (`a`)' for key 'k'"), "");
}

TEST(mysql_codes_test, finds_the_check_in_a_message) {
  EXPECT_EQ(check_in_message("CONSTRAINT `t.a` failed for `d`.`t`"), "t.a");
  EXPECT_EQ(check_in_message("Check constraint 't_chk_1' is violated."), "t_chk_1");
  EXPECT_EQ(check_in_message("CONSTRAINT `c``h` failed for `d`.`t`"), "c`h");
  EXPECT_EQ(check_in_message("Check constraint 'c`it's' is violated."), "c`it's");
  EXPECT_EQ(check_in_message("Duplicate entry 'CONSTRAINT `a`' for key 'k'"), "");
}

TEST(mysql_codes_test, lets_only_warnings_about_syntax_and_settings_pass) {
  EXPECT_TRUE(is_harmless_warning(1287));
  EXPECT_FALSE(is_harmless_warning(1265));
  EXPECT_FALSE(is_harmless_warning(1062));
}

}  // namespace
}  // namespace sluice::mysql
