#include "plugins/common/relational/table_sketch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "plugins/mysql/mysql_url.h"

namespace sluice::relational {
namespace {

using ::testing::HasSubstr;

constexpr auto forms = std::to_array<address_form>({{"mysql", "jdbc:mysql:"}, {"maria", "jdbc:mariadb:"}});

const options_dialect& dialect_of_test() {
  static const options_dialect made = {.product = "MySQL",
                                       .url = &mysql::url_dialect(),
                                       .rules = {.name_quote = '`'},
                                       .sample_url = "jdbc:mysql://<host>:3306/<database>",
                                       .sample_table = "`t`, `db.t`",
                                       .write_words = {},
                                       .write_meaning = "",
                                       .split_meaning = ""};
  return made;
}

/// Address, user, password and table, separated by blanks; `none` where the text is no address.
std::string taken_apart(std::string_view text) {
  const auto found = table_at_address(text, forms);
  if (!found) {
    return "none";
  }
  const address_parts parts = parts_of_address(found->path);
  EXPECT_EQ(parts.table, found->table);
  return fmt::format("{} {} {} {}", parts.url, parts.user, parts.password, parts.table);
}

TEST(table_at_address, is_server_database_and_table_with_the_account_apart) {
  EXPECT_EQ(taken_apart("mysql://ann@db1:3306/shop:orders"), "jdbc:mysql://db1:3306/shop ann  orders");
  EXPECT_EQ(taken_apart("mysql://ann:pw@db1/shop:dw.orders"), "jdbc:mysql://db1/shop ann pw dw.orders");
  EXPECT_EQ(taken_apart("MySQL://ann@[::1]:3306/Shop:Orders"), "jdbc:mysql://[::1]:3306/Shop ann  Orders");
  EXPECT_EQ(taken_apart("maria://ann@a,b:1/shop:t"), "jdbc:mariadb://a,b:1/shop ann  t");
  EXPECT_EQ(taken_apart("jdbc:maria://ann@a/shop:t"), "jdbc:mariadb://a/shop ann  t");
  EXPECT_EQ(taken_apart("jdbc:mysql:replication://ann@a,b/shop:t"),
            "jdbc:mysql:replication://a,b/shop ann  t");
}

TEST(table_at_address, may_have_properties_before_or_behind_the_table) {
  EXPECT_EQ(taken_apart("mysql://u@h/d:t?a=1&b=2"), "jdbc:mysql://h/d?a=1&b=2 u  t");
  EXPECT_EQ(taken_apart("mysql://u@h/d?a=1&b=2:t"), "jdbc:mysql://h/d?a=1&b=2 u  t");
  EXPECT_EQ(taken_apart("mysql://u@h/d:t?zone=GMT+8:00"), "jdbc:mysql://h/d?zone=GMT+8:00 u  t");
  EXPECT_EQ(taken_apart("mysql://h/d?user=u&a=1&password=p%40w:t"), "jdbc:mysql://h/d?a=1 u p@w t");
}

TEST(table_at_address, takes_references_and_encoded_characters_in_the_account) {
  EXPECT_EQ(taken_apart("mysql://u:${env:PW}@h/d:t"), "jdbc:mysql://h/d u ${env:PW} t");
  EXPECT_EQ(taken_apart("mysql://u:${file:/run/a@b}@h/d:t"), "jdbc:mysql://h/d u ${file:/run/a@b} t");
  EXPECT_EQ(taken_apart("mysql://a%40b:p%2Fw%3A@h/d:t"), "jdbc:mysql://h/d a@b p/w: t");
  EXPECT_EQ(taken_apart("mysql://u@server:p@h/d:t"), "jdbc:mysql://h/d u@server p t");
}

TEST(table_at_address, leaves_out_what_is_not_there) {
  EXPECT_EQ(taken_apart("mysql://h"), "jdbc:mysql://h   ");
  EXPECT_EQ(taken_apart("mysql://u@h/d"), "jdbc:mysql://h/d u  ");
  EXPECT_EQ(taken_apart("mysql://u@h/:d.t"), "jdbc:mysql://h/ u  d.t");
  EXPECT_EQ(taken_apart("mysql://"), "jdbc:mysql://   ");
}

TEST(table_at_address, is_nothing_of_another_product_or_a_data_source) {
  for (const char* text : {"mysql:orders", "mysqlx://u@h/d:t", "my://u@h/d:t", "postgresql://u@h/d:t",
                           "orders.csv", "", "mysql:replication://u@h/d:t", "a//b:t", "mysql"}) {
    EXPECT_EQ(taken_apart(text), "none") << text;
  }
}

TEST(connection_to, has_the_account_of_the_address_and_shows_no_password) {
  const auto made =
      connection_to(*table_at_address("mysql://ann:p%40w@db1/shop:t", forms), dialect_of_test());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(to_text(*made), "db1:3306/shop as ann");
  ASSERT_TRUE(made->password);
  EXPECT_EQ(made->password->shown(), "***");
  const auto nobody = connection_to(*table_at_address("mysql://db1/shop:t", forms), dialect_of_test());
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, end_named_wrong);
  EXPECT_THAT(nobody.error().message,
              HasSubstr("no user is named; write mysql://USER@HOST:PORT/DATABASE:TABLE"));
  const auto broken =
      connection_to(*table_at_address("mysql://ann:${env:}@db1/shop:t", forms), dialect_of_test());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, end_named_wrong);
}

TEST(one_table, is_a_name_and_no_list_or_range) {
  const auto of = [](const char* table) {
    end_place where;
    where.form = "mysql";
    where.table = table;
    return one_table(where, dialect_of_test());
  };
  EXPECT_EQ(of("shop.orders").value_or("?"), "shop.orders");
  EXPECT_EQ(of("`a,b`").value_or("?"), "`a,b`");
  for (const char* text : {"", "t_[0-9]", "a,b", "t_[9-0]"}) {
    const auto found = of(text);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().code, end_named_wrong) << text;
  }
}

TEST(sketch_of_target, pairs_columns_by_name_or_says_that_it_does_by_position) {
  const target_table table = {"orders", {{"Id"}, {"name"}, {"total", false, false, true}}, {}};
  const auto put = [&](const schema& columns, end_sketch& to) {
    const auto done = put_names_for_table(table, columns, dialect_of_test().rules, to);
    return done ? std::string() : done.error().message;
  };
  end_sketch by_name;
  EXPECT_EQ(put({{"name"}, {"id"}}, by_name), "");
  EXPECT_EQ(by_name.options.at(0).value.dump(), R"(["name","Id"])");
  EXPECT_TRUE(by_name.doubts.empty());
  end_sketch by_position;
  EXPECT_EQ(put({{"a"}, {"b"}}, by_position), "");
  EXPECT_EQ(by_position.options.at(0).value.dump(), R"(["Id","name"])");
  EXPECT_EQ(by_position.doubts.size(), 1u);
  end_sketch computed;
  EXPECT_EQ(put({{"name"}, {"total"}}, computed), "");
  EXPECT_EQ(computed.options.at(0).value.dump(), R"(["*"])");
  EXPECT_EQ(computed.options.at(1).name, "mapping");
  EXPECT_THAT(computed.remarks.at(0), HasSubstr("The table computes \"total\" itself: it is left out."));
  end_sketch other;
  EXPECT_THAT(put({{"id"}, {"b"}}, other), HasSubstr("has no column for \"b\""));
  EXPECT_THAT(put({{"total"}}, other), HasSubstr("nothing to write"));
}

TEST(sketch_of_target, names_the_columns_of_a_table_to_be_made) {
  end_sketch to;
  EXPECT_TRUE(put_names_for_new_table({{"a"}, {""}}, to));
  EXPECT_EQ(to.options.at(0).value.dump(), R"(["a","column_2"])");
  EXPECT_THAT(put_names_for_new_table({{"a"}, {"A"}}, to).error().message,
              HasSubstr("two columns of the source"));
}

TEST(look_for_records, is_done_where_it_decides_and_told_where_it_is_forbidden) {
  const auto denied = []() -> result<bool> { return fail(error_kind::denied, "permission denied"); };
  const auto yes = []() -> result<bool> { return true; };
  end_sketch sketch;
  EXPECT_TRUE(look_for_records(sketch, sketch_mode::append, denied));
  EXPECT_TRUE(look_for_records(sketch, sketch_mode::as_it_is, denied));
  EXPECT_FALSE(sketch.holds_records);
  EXPECT_TRUE(look_for_records(sketch, sketch_mode::refuse, yes));
  EXPECT_TRUE(sketch.holds_records);
  end_sketch replaced;
  EXPECT_TRUE(look_for_records(replaced, sketch_mode::replace, denied));
  EXPECT_TRUE(replaced.holds_records);
  const auto refused = look_for_records(replaced, sketch_mode::refuse, denied);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("permission denied. Whether the table holds records"));
}

}  // namespace
}  // namespace sluice::relational
