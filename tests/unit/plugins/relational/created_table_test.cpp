#include "plugins/common/relational/created_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/common/relational/target_mapping.h"

namespace sluice::relational {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const read_table& orders() {
  static const read_table made = {
      .product = "mariadb",
      .comment = "of all shops",
      .columns = {{"shop", "", false, false},
                  {"id", "the number", true, false, "bigint(20) unsigned"},
                  {"sum", "", false, true},
                  {"note", "", true, false}},
      .keys = {{"PRIMARY", {"id", "shop"}, true, true}, {"by_note", {"note"}, false, false}},
      .others = {"the trigger t"}};
  return made;
}

option_values no_values() {
  static const std::vector<option> none;
  return {"job.json", "parameter",     nlohmann::json::object(), std::make_shared<json_places>(),
          none,       dialect::script2};
}

end_options listed(const std::vector<std::string>& names, bool by_name = false) {
  end_options out;
  out.all_columns = names.empty();
  out.by_name = by_name;
  for (const std::string& name : names) {
    out.columns.push_back({name, "job.json column", {}});
  }
  return out;
}

schema columns_named(const std::vector<std::string>& names) {
  schema out;
  for (const std::string& name : names) {
    out.push_back({name, type_of(type_id::int64), name == "note"});
  }
  return out;
}

std::string quoted(std::string_view name) {
  return quoted_name(name, sql_rules{});
}

created_table made_of(const table_facts& facts, const std::vector<std::string>& source,
                      const end_options& options) {
  auto made = created_table_of(options, sql_rules{}, columns_named(source), &facts, no_values(),
                               std::vector<made_type>(source.size(), {"BIGINT"}));
  EXPECT_TRUE(made) << made.error().message;
  return *made;
}

TEST(facts, have_comments_and_key_by_the_columns_that_are_read_and_name_the_rest) {
  const table_facts facts = *facts_of(orders(), {"id", "", "shop", "note"});
  EXPECT_EQ(facts.comment, "of all shops");
  EXPECT_EQ(facts.product, "mariadb");
  ASSERT_EQ(facts.columns.size(), 4u);
  EXPECT_EQ(facts.columns[0].comment, "the number");
  EXPECT_EQ(facts.columns[0].own_type, "bigint(20) unsigned");
  EXPECT_EQ(facts.columns[1].own_type, "") << "an expression";
  EXPECT_THAT(facts.key, ElementsAre(0u, 2u));
  EXPECT_THAT(facts.others, ElementsAre("the default of column id", "the default of column note",
                                        "the index by_note (note)", "the trigger t"));
}

TEST(facts, have_no_key_of_which_a_column_is_missing_or_read_twice) {
  for (const std::vector<std::string>& read :
       {std::vector<std::string>{"id", "note"}, std::vector<std::string>{"id", "shop", "id"}}) {
    const table_facts facts = *facts_of(orders(), read);
    EXPECT_THAT(facts.key, IsEmpty());
    EXPECT_THAT(
        facts.others,
        ::testing::Contains("the primary key (id, shop), of which the job does not read each column once"));
  }
}

TEST(created_tables, have_the_jobs_names_and_what_the_source_says) {
  const table_facts facts = *facts_of(orders(), {"id", "shop", "note"});
  created_table made = made_of(facts, {"id", "shop", "note"}, listed({"nr", "\"shop\"", "n"}));
  EXPECT_EQ(create_table_sql(made, "s.t", quoted),
            "CREATE TABLE IF NOT EXISTS s.t (\n\"nr\" BIGINT NOT NULL,\n\"shop\" BIGINT NOT NULL,\n"
            "\"n\" BIGINT,\nPRIMARY KEY (\"nr\", \"shop\")\n)");
  made.leave_comments_out(5, 100);
  EXPECT_EQ(made.columns[0].comment, "");
  EXPECT_EQ(made.comment, "of all shops");
  EXPECT_EQ(made.not_made.back(), "the comment of column nr, longer than 5 characters");
  made.leave_key_out("too long");
  EXPECT_EQ(made.not_made.back(), "the primary key (nr, shop): too long");
  target_description told;
  announce_created(made, "CREATE\nx", false, told);
  EXPECT_EQ(told.changes[0], "The table will be made: CREATE x");
  EXPECT_THAT(told.changes[1], HasSubstr("Not made of the source's table: the default of column id; "));
}

TEST(created_tables, are_made_without_facts_too) {
  const auto made = created_table_of(listed({}), sql_rules{}, columns_named({"a", "note"}), nullptr,
                                     no_values(), {{"X"}, {"X"}});
  ASSERT_TRUE(made);
  EXPECT_EQ(create_table_sql(*made, "t", quoted),
            "CREATE TABLE IF NOT EXISTS t (\n\"a\" X NOT NULL,\n\"note\" X\n)");
  EXPECT_THAT(made->not_made, IsEmpty());
}

field of_type(const char* name) {
  return {"c", type_of(type_id::utf8), true, name};
}

TEST(created_tables, name_the_columns_whose_types_lose_their_meaning) {
  table_facts facts;
  facts.product = "postgresql";
  const schema columns = {of_type("jsonb"), of_type("text")};
  std::vector<made_type> types;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    types.push_back(without_meaning(type_at(columns, &facts, i), "LONGTEXT"));
  }
  const auto made = created_table_of(listed({"doc", "t"}), sql_rules{}, columns, &facts, no_values(), types);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->not_made, ElementsAre("the type jsonb of column doc, made LONGTEXT: that it is JSON is "
                                          "not checked any more"));
}

TEST(types_of_a_source, mean_what_their_product_says) {
  struct {
    const char* product;
    const char* own_type;
    const char* words;
    const char* meaning;
  } const cases[] = {
      {"postgresql", "timestamp(3) without time zone", "timestamp without time zone", ""},
      {"postgresql", "character varying(20)", "character varying", ""},
      {"postgresql", "numeric(9,2)[]", "numeric[]", "that it is an array of numeric"},
      {"postgresql", "shop.mood", "shop.mood", "what it allows"},
      {"postgresql", "int4multirange", "int4multirange", "that it is a range"},
      {"mysql", "enum('a''(','b)') CHARACTER SET latin1 COLLATE latin1_bin", "enum",
       "that it is one of the members"},
      {"mariadb", "BIGINT(20) unsigned", "bigint unsigned", "that it is not negative"},
      {"mariadb", "varchar(20)", "varchar", ""},
      {"sqlite", "JSON", "json", ""},
      {"", "", "", ""},
  };
  for (const auto& c : cases) {
    const field column = of_type("");
    const source_type from{c.product, c.own_type, column};
    EXPECT_EQ(from.words(), c.words);
    EXPECT_EQ(meaning_of(from), c.meaning) << c.own_type;
  }
}

TEST(computed_columns, are_left_out_where_the_job_takes_all_and_the_rest_fits) {
  const target_table table{"t", {{"a"}, {"B"}, {"total", false, false, true}}, {}};
  const auto left_out = [&](const std::vector<std::string>& source, const end_options& options) {
    return without_computed(table, options, sql_rules{}, columns_named(source)).left_out;
  };
  EXPECT_THAT(left_out({"a", "Total", "b"}, listed({})), ElementsAre(1u));
  EXPECT_THAT(left_out({"x", "total"}, listed({})), IsEmpty()) << "by position there are as many";
  EXPECT_THAT(left_out({"a", "b", "c", "total"}, listed({})), IsEmpty()) << "nothing fits";
  EXPECT_THAT(left_out({"a", "total"}, listed({}, true)), ElementsAre(1u));
  EXPECT_THAT(left_out({"a", "b", "total"}, listed({"a", "B"})), IsEmpty());
  const auto refused =
      mapped_columns(table, listed({}), sql_rules{}, columns_named({"a", "b", "c", "total"}), no_values());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("all of table \"t\" that it does not compute itself"));
}

TEST(mapping_by_name, suggests_only_columns_that_no_other_has) {
  const auto said = [](const target_table& table, const std::vector<std::string>& source) {
    const auto refused =
        mapped_columns(table, listed({}, true), sql_rules{}, columns_named(source), no_values());
    return refused ? std::string() : refused.error().message;
  };
  EXPECT_THAT(said({"t", {{"amount"}, {"amounts2"}}, {}}, {"amount", "amounts"}),
              HasSubstr("\"amounts\" is none of the writer's; did you mean \"amounts2\"?"));
  EXPECT_THAT(said({"t", {{"amount"}, {"zip"}}, {}}, {"amount", "amounts"}),
              HasSubstr("is none of the writer's; without one of the reader's is \"zip\""));
  EXPECT_THAT(said({"t", {{"amount"}}, {}}, {"amount", "amounts"}),
              HasSubstr("is none of the writer's, which all have theirs; leave it out"));
}

TEST(mapping_by_name, gives_the_columns_in_the_readers_order) {
  const target_table table{"t", {{"A"}, {"b"}, {"c"}}, {}};
  const auto mapped = [&](const std::vector<std::string>& source, const end_options& options) {
    return mapped_columns(table, options, sql_rules{}, columns_named(source), no_values());
  };
  EXPECT_THAT(*mapped({"c", "a"}, listed({}, true)), ElementsAre(2u, 0u));
  EXPECT_THAT(*mapped({"c", "a"}, listed({"a", "c"}, true)), ElementsAre(2u, 0u));
  struct {
    std::vector<std::string> source;
    end_options options;
    const char* said;
  } const cases[] = {
      {{"c", ""}, listed({}, true), "the reader's column 1 has no name"},
      {{"c", "d"}, listed({}, true), "the reader's column \"d\" is none of the writer's"},
      {{"c", "b"}, listed({"c", "a"}, true), "the reader's column \"b\" is none of the writer's"},
      {{"a", "A"}, listed({}, true), "two of the reader's columns are the writer's column \"A\""},
      {{"c"}, listed({"c", "a"}, true), "the reader has no column \"A\""},
  };
  for (const auto& c : cases) {
    const auto refused = mapped(c.source, c.options);
    ASSERT_FALSE(refused) << c.said;
    EXPECT_EQ(refused.error().kind, error_kind::bad_option);
    EXPECT_THAT(refused.error().message, HasSubstr(c.said));
  }
}

TEST(mapping_by_name, names_the_columns_of_a_table_to_be_made) {
  const auto names =
      created_names(listed({"x", "Y"}, true), sql_rules{}, columns_named({"y", "x"}), no_values());
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_THAT(*names, ElementsAre("Y", "x"));
}

}  // namespace
}  // namespace sluice::relational
